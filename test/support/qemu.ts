import { spawnSync } from 'node:child_process';

/** A QEMU for x86_64 with the qtest accelerator, if `SOUTHBRIDGE_TEST_QEMU` names one that runs. */
export const REAL_QEMU = find(process.env.SOUTHBRIDGE_TEST_QEMU);

export const NO_QEMU = 'SOUTHBRIDGE_TEST_QEMU names no QEMU with the qtest accelerator: .ci/qemu makes one';

/** The QEMU that the profile `qemu-11.1` describes. */
export const QEMU_VERSION = '11.1.3';

function find(binary: string | undefined): string | undefined {
  if (!binary) return undefined;
  const { stdout } = spawnSync(binary, ['-accel', 'help'], { encoding: 'utf8' });
  return stdout?.includes('qtest') ? binary : undefined;
}
