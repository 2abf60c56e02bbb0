/** A request to a server that must succeed. */
export async function request(method: string, url: string, body?: unknown): Promise<unknown> {
  const response = await fetch(url, {
    method,
    ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${url}: ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}

/** A write of one register, as `POST …/mmio` takes it. */
export function write(address: number, value: number, size = 8): object {
  return { type: 'write', address: `0x${address.toString(16)}`, size, value: `0x${value.toString(16)}` };
}
