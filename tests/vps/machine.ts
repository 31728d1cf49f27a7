/**
 * The guest's hardware, as QEMU is told it: a small rented server, without KVM and without internet.
 *
 * @module
 */
import { join } from "node:path";
import { KERNEL_ARGUMENTS, PROCESSOR } from "./recipe.ts";

/** What a small rented server has, in MiB. */
export const USUAL_MEMORY_MIB = 4096;
const CORES = 2;

/** q35 puts RAM beyond 2 GiB above the 4 GiB line, in MiB. */
const LOW_MIB = 2048;

/** Where RAM lies: one piece or two, in bytes. */
export function ramPieces(memoryMib: number): { at: number; bytes: number }[] {
  const pieces = [
    { at: 0, bytes: Math.min(memoryMib, LOW_MIB) * 1024 ** 2 },
    { at: 4 * 1024 ** 3, bytes: (memoryMib - LOW_MIB) * 1024 ** 2 },
  ];
  return pieces.filter(({ bytes }) => bytes > 0);
}

export interface MachineOptions {
  readonly diskPath: string;
  readonly diskFormat: "raw" | "qcow2";
  readonly consolePath: string;
  readonly monitorPath: string;
  readonly memoryMib: number;
  /** Ports of this machine's 127.0.0.1 by the guest's port that they lead to. */
  readonly forwards: ReadonlyMap<number, number>;
  /** Has kernel and initrd, for a start past GRUB. */
  readonly imageDir: string;
  /** Absent: the guest's own GRUB decides. */
  readonly kernelArguments: readonly string[] | undefined;
}

export function machineArguments(options: MachineOptions): string[] {
  const { diskPath, diskFormat, consolePath, monitorPath, imageDir, kernelArguments } = options;
  const { memoryMib } = options;
  const forwards = [...options.forwards].map(
    ([to, from]) => `hostfwd=tcp:127.0.0.1:${from}-:${to}`,
  );
  const direct = [
    ["-kernel", join(imageDir, "vmlinuz")],
    ["-initrd", join(imageDir, "initrd")],
    ["-append", [KERNEL_ARGUMENTS, ...(kernelArguments ?? [])].join(" ")],
  ];
  return [
    ["-machine", "q35"],
    ["-accel", "tcg,thread=multi"],
    ["-cpu", PROCESSOR],
    ["-smp", String(CORES)],
    ["-m", String(memoryMib)],
    ["-nodefaults", "-no-user-config"],
    ["-display", "none"],
    ["-drive", `file=${diskPath},if=virtio,format=${diskFormat},discard=unmap`],
    // Nothing of the guest's gets out: only connections that begin at this machine's 127.0.0.1.
    ["-netdev", ["user", "id=uplink", "restrict=on", ...forwards].join(",")],
    ["-device", "virtio-net-pci,netdev=uplink"],
    ["-device", "virtio-rng-pci"],
    ["-chardev", `file,id=console,path=${consolePath},append=on`],
    ["-serial", "chardev:console"],
    ["-qmp", `unix:${monitorPath},server=on,wait=off`],
    ...(kernelArguments ? direct : []),
  ].flat();
}
