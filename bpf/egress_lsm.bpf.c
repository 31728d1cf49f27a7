/* Optional tier, where BPF LSM loads: sockets that the cgroup hooks cannot judge.
 *
 *   handed in           a cgroup hook belongs to the socket's cgroup, not to who uses it
 *   of another family   AF_PACKET, AF_VSOCK, AF_NETLINK, AF_ALG and the rest have no cgroup hook
 *   of Unix             on kernels older than 6.7
 *
 * A Unix stream that is connected already may be used: those are the channels a unit is started
 * with. IP sockets that the unit made itself are left to the cgroup programs. Tasks outside the
 * root of the policy are not looked at.
 */
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "egress_maps.bpf.h"
#include "egress_unix.bpf.h"

char LICENSE[] SEC("license") = "GPL";

#define AF_UNIX   1
#define AF_INET   2
#define AF_INET6  10
#define EPERM     1
#define MAY_WRITE 2
#define S_IFMT    0170000
#define S_IFSOCK  0140000

/* Only what is read of each; CO-RE finds where this kernel keeps it. */
struct kernfs_node {
	__u64 id;
} __attribute__((preserve_access_index));
struct cgroup {
	int level;
	struct kernfs_node *kn;
	struct cgroup *ancestors[];
} __attribute__((preserve_access_index));
struct sock_cgroup_data {
	struct cgroup *cgroup;
} __attribute__((preserve_access_index));
struct sock_common {
	__u16 skc_family;
} __attribute__((preserve_access_index));
struct sock {
	struct sock_common __sk_common;
	struct sock_cgroup_data sk_cgrp_data;
	__u16 sk_protocol;
} __attribute__((preserve_access_index));
struct socket {
	short type;
	struct sock *sk;
} __attribute__((preserve_access_index));
struct sockaddr {
	__u16 sa_family;
} __attribute__((preserve_access_index));
struct sockaddr_un {
	__u16 sun_family;
	char sun_path[SUN_PATH_BYTES];
} __attribute__((preserve_access_index));
struct unix_address {
	int len;
	struct sockaddr_un name[];
} __attribute__((preserve_access_index));
struct unix_sock {
	struct unix_address *addr;
	struct sock *peer;
} __attribute__((preserve_access_index));
struct msghdr;
struct inode {
	__u16 i_mode;
} __attribute__((preserve_access_index));
struct file {
	struct inode *f_inode;
	void *private_data;
} __attribute__((preserve_access_index));

static __always_inline int is_inside(void)
{
	return bpf_get_current_ancestor_cgroup_id(root.level) == root.id;
}

static __always_inline int deny(__u32 hook, __u32 protocol)
{
	struct attempt attempt = { .hook = hook, .protocol = protocol };

	fill_current(&attempt, current_unit());
	refuse(&attempt);
	return -EPERM;
}

/* Whether the socket was made in the unit that uses it now. */
static __always_inline int is_own(struct sock *sk)
{
	struct cgroup *cgroup = BPF_CORE_READ(sk, sk_cgrp_data.cgroup), *ancestor = NULL,
		      **ancestors;
	__u32 level = root.level + 1;

	if (BPF_CORE_READ(cgroup, level) < (int)level)
		return 0;
	ancestors = (struct cgroup **)__builtin_preserve_access_index(&cgroup->ancestors);
	bpf_probe_read_kernel(&ancestor, sizeof(ancestor), ancestors + level);
	return BPF_CORE_READ(ancestor, kn, id) == bpf_get_current_ancestor_cgroup_id(level);
}

static __always_inline int judge_socket(struct socket *socket, __u32 hook)
{
	struct sock *sk = BPF_CORE_READ(socket, sk);
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);

	if (!is_inside() || is_making_unit() || family == AF_UNIX ||
	    ((family == AF_INET || family == AF_INET6) && is_own(sk)))
		return 0;
	return deny(hook, BPF_CORE_READ(sk, sk_protocol));
}

/* `ret` is what programs before this one said; a refusal stays one. */
SEC("lsm/socket_create")
int BPF_PROG(lsm_create, int family, int type, int protocol, int kern, int ret)
{
	if (ret || kern || !is_inside() || family == AF_UNIX || family == AF_INET ||
	    family == AF_INET6 || is_making_unit())
		return ret;
	return deny(HOOK_LSM_CREATE, protocol);
}

SEC("lsm/socket_connect")
int BPF_PROG(lsm_connect, struct socket *socket, struct sockaddr *address, int length, int ret)
{
	return ret ? ret : judge_socket(socket, HOOK_LSM_CONNECT);
}

SEC("lsm/socket_sendmsg")
int BPF_PROG(lsm_sendmsg, struct socket *socket, struct msghdr *message, int size, int ret)
{
	return ret ? ret : judge_socket(socket, HOOK_LSM_SENDMSG);
}

/* Before kernel 6.5, sendfile and splice put bytes into a socket without asking the hook above. */
SEC("lsm/file_permission")
int BPF_PROG(lsm_write, struct file *file, int mask, int ret)
{
	if (ret || !(mask & MAY_WRITE) || !is_inside() ||
	    (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return ret;
	return judge_socket(BPF_CORE_READ(file, private_data), HOOK_LSM_WRITE);
}

/* Options make some sockets send: a group that is joined, a connection that is deferred. */
SEC("lsm/socket_setsockopt")
int BPF_PROG(lsm_option, struct socket *socket, int level, int name, int ret)
{
	return ret ? ret : judge_socket(socket, HOOK_LSM_OPTION);
}

/* Whether this unit may talk to the Unix socket `other`, judged by the path that it was bound to.
 */
static __always_inline int judge_unix(struct sock *other, __u32 hook)
{
	struct egress_unit *unit = current_unit();
	struct egress_unix_path key = { .kind = unit ? unit->kind : UNIT_UNKNOWN };
	struct unix_address *address;

	if (is_free(key.kind) || is_making_unit())
		return 0;
	address = BPF_CORE_READ((struct unix_sock *)other, addr);
	if (address &&
	    read_path(&key, (char *)__builtin_preserve_access_index(&address->name),
		      (__u32)BPF_CORE_READ(address, len)) &&
	    bpf_map_lookup_elem(&unix_paths, &key))
		return 0;
	return deny(hook, 0);
}

SEC("lsm/unix_stream_connect")
int BPF_PROG(lsm_unix_connect, struct sock *sock, struct sock *other, struct sock *newsk, int ret)
{
	return ret || !is_inside() ? ret : judge_unix(other, HOOK_LSM_UNIX_CONNECT);
}

SEC("lsm/unix_may_send")
int BPF_PROG(lsm_unix_send, struct socket *sock, struct socket *other, int ret)
{
	struct sock *to = BPF_CORE_READ(other, sk);
	struct unix_sock *from = (struct unix_sock *)BPF_CORE_READ(sock, sk);

	/* The other end of a socket pair, or of a connection that was judged when it was made. */
	if (ret || !is_inside() || BPF_CORE_READ(from, peer) == to)
		return ret;
	return judge_unix(to, HOOK_LSM_UNIX_SEND);
}
