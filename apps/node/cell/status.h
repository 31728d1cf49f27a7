/*
 * Why a cell did not start its program.
 */
#ifndef PHANTOMA_CELL_STATUS_H
#define PHANTOMA_CELL_STATUS_H

/* What PID 1 writes down when a cell did not start; 200 and up are systemd's own. */
enum status {
	STATUS_NONE = 0,
	STATUS_USAGE = 64,	/* called wrongly: fix the unit */
	STATUS_CONNECTION = 65, /* no connection as descriptor 0 or 3: start it through its socket */
	STATUS_KEEPER = 66,	/* no keeper: is it running, and is the cell in the right group? */
	STATUS_DESCRIPTORS = 67,/* descriptors could not be put in order: raise LimitNOFILE */
	STATUS_PRIVILEGE = 68,	/* the kernel refused to take privilege away: too old a kernel */
	STATUS_FILTER = 69,	/* the filter could not be put in force: too old a kernel */
	STATUS_PROGRAM = 70,	/* the program could not be run: is the release whole? */
	STATUS_REPORT = 71,	/* no keeper for reports: see STATUS_KEEPER */
	STATUS_SEIZE = 72,	/* ptrace is refused: allow a parent to trace its child (Yama 0 or 1) */
};

#endif
