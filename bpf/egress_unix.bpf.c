/* Optional tier: new Unix connections, which reach whatever daemon the host runs. Kernel 6.7 and
 * later.
 *
 * Every unit of the node, and every unregistered cgroup, may connect only to paths listed for it: file permissions alone would
 * leave open what a host offers to anybody, such as a resolver. Connected sockets and socket pairs never come here.
 */
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "egress_maps.bpf.h"
#include "egress_unix.bpf.h"

char LICENSE[] SEC("license") = "GPL";

struct bpf_sock_addr_kern {
	void *uaddr;
	__u32 uaddrlen;
} __attribute__((preserve_access_index));

extern void *bpf_cast_to_kern_ctx(void *ctx) __ksym;

static __always_inline int judge(struct bpf_sock_addr *ctx, __u32 hook)
{
	struct bpf_sock_addr_kern *kern = bpf_cast_to_kern_ctx(ctx);
	struct egress_unit *unit = current_unit();
	struct attempt attempt = { .hook = hook };
	struct egress_unix_path key = { .kind = unit ? unit->kind : UNIT_UNKNOWN };

	if (is_free(key.kind) || is_making_unit() ||
	    (read_path(&key, kern->uaddr, kern->uaddrlen) &&
	     bpf_map_lookup_elem(&unix_paths, &key)))
		return 1;
	fill_current(&attempt, unit);
	return refuse(&attempt);
}

/* libbpf of Debian 12 does not know these two sections; the loader sets their type. */
SEC("cgroup/connect_unix") int unix_connect(struct bpf_sock_addr *ctx)
{
	return judge(ctx, HOOK_UNIX_CONNECT);
}
SEC("cgroup/sendmsg_unix") int unix_sendmsg(struct bpf_sock_addr *ctx)
{
	return judge(ctx, HOOK_UNIX_SENDMSG);
}
