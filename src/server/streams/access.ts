import { deviceAt, NO_DEVICE } from '../../core/devices/guest-map.js';
import { SouthbridgeError } from '../../errors.js';
import type { Access } from '../../protocol/client-message.js';
import { type AccessRequest, parseAccess } from '../../protocol/json/access.js';
import { formatValue } from '../../protocol/values.js';

/** Checks what the form of a frame cannot say. Throws `address-unassigned` or `value-too-wide`. */
export function checkAccess({ address, size, low, high }: Access): void {
  if (deviceAt(address, size) === NO_DEVICE) {
    throw new SouthbridgeError('address-unassigned', { address: `0x${address.toString(16)}`, size });
  }
  if (size < 8 && (high !== 0 || low >= 2 ** (8 * size))) {
    throw new SouthbridgeError('value-too-wide', { value: formatValue(low, high, high === 0 ? 4 : 8), size });
  }
}

/** An access of an HTTP request. Throws as `parseAccess` and `checkAccess`. */
export function accessOf(request: AccessRequest): Access {
  const access = parseAccess(request);
  checkAccess(access);
  return access;
}
