/* The policy for people: what is enforced, why, and what is not claimed. */
#include "explain.h"

static const char rules[] =
	"\n"
	"What the kernel enforces for everything below that cgroup\n"
	"  worker, clerk, keeper, warden, installer: no network at all, loopback included.\n"
	"  gateway: answers on its own TCP port. It cannot open a connection.\n"
	"  fetcher: TCP to the addresses in the open window, until its deadline. An order that an "
	"admin device\n"
	"    signed opens a window; the warden checks it, for at most 30 minutes, one at a time, "
	"each counter once.\n"
	"  A cgroup that nobody registered, and a packet that is not understood: refused.\n"
	"\n"
	"How\n"
	"  Programs at connect, sendmsg, socket creation and on every packet both ways. They are "
	"pinned: they stay\n"
	"  when the warden dies. The kernel compares the deadline itself, so a window closes with "
	"nobody alive.\n"
	"  Every refusal is counted exactly. Details are kept as far as the ring has room; the "
	"rest shows as lost.\n"
	"\n"
	"Tiers\n"
	"  cgroup  always needed. Judges sockets made inside a unit.\n"
	"  unix    refuses new Unix connections to sockets that are not listed for the unit "
	"(kernel 6.7 and later).\n"
	"  lsm     also stops sockets made elsewhere and handed in, and families that are not IP. "
	"Without this tier\n"
	"          the sandbox of each unit is what prevents those.\n"
	"\n"
	"Not claimed\n"
	"  Root, the hypervisor and a kernel exploit can undo this. Answers that a worker sends to "
	"its user are not\n"
	"  network attempts.\n";

void explain(const struct status *status, FILE *out)
{
	status_text(status, out);
	fputs(rules, out);
}
