/*
 * The cell's own word to the keeper, on a channel that its child never has.
 *
 * Before there is a child, the cell draws a number and says it twice: on the channel that the child will
 * inherit, and on its own. By that the keeper knows which report belongs to which task.
 */
#ifndef PHANTOMA_CELL_REPORT_H
#define PHANTOMA_CELL_REPORT_H

#include <stdbool.h>

#include "ending.h"

/* Says the number on both channels. */
bool pair(int childs_channel, int own_channel);

/* Says how the child ended and what was overwritten; nothing of a child that was not gone over. */
void send_report(int own_channel, enum ending ending, const struct end *end);

#endif
