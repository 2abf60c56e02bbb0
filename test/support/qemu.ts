import { spawnSync } from 'node:child_process';

/** A QEMU for x86_64 with the qtest accelerator, if `TEST_QEMU` names one that runs. */
export const REAL_QEMU = find(process.env.TEST_QEMU);

export const NO_QEMU = 'TEST_QEMU names no QEMU with the qtest accelerator: .ci/qemu makes one';

/** The QEMU that the profile `qemu-11.1` describes. */
export const QEMU_VERSION = '11.1.3';

/** Whether a QEMU starts under the accelerator: its help does not list qtest. */
function find(binary: string | undefined): string | undefined {
  if (!binary) return undefined;
  const options = ['-accel', 'qtest', '-machine', 'none', '-nodefaults', '-display', 'none', '-qmp', 'stdio'];
  const input = '{"execute":"qmp_capabilities"}\n{"execute":"quit"}\n';
  const { status } = spawnSync(binary, options, { input, timeout: 30_000 });
  return status === 0 ? binary : undefined;
}
