import t from 'tap';
import { loadConfiguration } from '../../src/config/sources.js';
import { QUIRK_NAMES } from '../../src/core/devices/quirks.js';
import { PRESET_NAMES } from '../../src/core/locking/presets.js';
import { loadText, refusals, set } from './load.js';

/** Loads a file and returns `code key` of each refusal, with the line if it is in the file. */
function faultsOf(text: string, name?: string): string[] {
  return refusals(() => loadText(text, {}, name)).map(({ code, details }) => {
    const line = /line (\d+)$/.exec(String(details.source));
    return `${code} ${details.key}${line ? ` @${line[1]}` : ''}`;
  });
}

t.test('every wrong key of a file is named, with its line', async (t) => {
  t.strictSame(
    faultsOf(`host: 5
prot: 1
logLevel: loud
port: 70000
limits:
  machines: "7"
  machnes: 1
allowedOrigins: [example.org]
machines:
  - name: A
  - locking: bql
  - name: b
    hpet:
      timers: 2
      routingCapability: 0x00ff0104
      quirks: { min-1u: true, extint: 1 }
    ioapic: { version: 0x11, id: 16 }
    vcpus: 1.5
    clock: fast
`).sort(),
    [
      'config-missing-key machines.1.name @11',
      'config-not-allowed allowedOrigins.0 @8',
      'config-not-allowed logLevel @3',
      'config-not-allowed machines.0.name @10',
      'config-not-allowed machines.2.clock @19',
      'config-not-allowed machines.2.hpet.timers @14',
      'config-not-allowed machines.2.ioapic.id @17',
      'config-not-allowed port @4',
      'config-unknown-key limits.machnes @7',
      'config-unknown-key machines.2.hpet.quirks.min-1u @16',
      'config-unknown-key prot @2',
      'config-wrong-type host @1',
      'config-wrong-type limits.machines @6',
      'config-wrong-type machines.2.hpet.quirks.extint @16',
      'config-wrong-type machines.2.hpet.routingCapability @15',
      'config-wrong-type machines.2.ioapic.version @17',
      'config-wrong-type machines.2.vcpus @18',
    ],
  );
});

t.test('the sentence says what is allowed', async (t) => {
  const [unknown] = refusals(() => loadText('prot: 1'));
  t.match(
    unknown.message,
    /^Unknown key prot \(.*sb\.yaml, line 1\) \(did you mean port\?\); the keys allowed here are: host, port, /,
  );
  const [preset] = refusals(() => loadConfiguration({ flags: [set('machines.0.locking', 'locked')] }));
  t.match(
    preset.message,
    /^The value "locked" of key machines\.0\.locking \(--set machines\.0\.locking\) is not allowed; /,
  );
  for (const name of PRESET_NAMES) t.match(preset.message, `"${name}"`);
  const [quirk] = refusals(() => loadConfiguration({ flags: [set('machines.0.hpet.quirks.min', 'true')] }));
  for (const name of QUIRK_NAMES) t.match(quirk.message, name);
  const [port] = refusals(() => loadConfiguration({ environment: { SOUTHBRIDGE_PORT: 'http' } }));
  t.equal(port.code, 'config-wrong-type');
  t.equal(
    port.message,
    'The key port (SOUTHBRIDGE_PORT) has a value of the wrong type; it must be a whole number from 0 to 65535.',
  );
});

t.test('a design is a preset or all four axes', async (t) => {
  const machine = (locking: string) => `machines:\n  - name: a\n    locking: ${locking}\n`;
  t.strictSame(faultsOf(machine('{ mmio: bql, timer: bql, irq: inline }')), [
    'config-missing-key machines.0.locking.control @3',
  ]);
  t.strictSame(faultsOf(machine('{ mmio: none, timer: bql, irq: inline, control: none }')), [
    'config-not-allowed machines.0.locking.mmio @3',
  ]);
  t.strictSame(faultsOf(machine('{ mmio: bql, timer: bql, irq: inline, control: none, gate: bql }')), [
    'config-unknown-key machines.0.locking.gate @3',
  ]);
  t.strictSame(faultsOf(machine('3')), ['config-wrong-type machines.0.locking @3']);
  t.strictSame(faultsOf(machine('[bql]')), ['config-wrong-type machines.0.locking @3']);
});

t.test('what is allowed alone but not together', async (t) => {
  t.strictSame(faultsOf('machines:\n  - name: a\n  - name: b\n  - name: a\n'), [
    'config-not-allowed machines.2.name @4',
  ]);
  t.strictSame(faultsOf('limits: { machines: 1 }\nmachines:\n  - name: a\n  - name: b\n'), [
    'config-not-allowed machines @2',
  ]);
});

t.test('unknown variables and flags', async (t) => {
  const refused = refusals(() =>
    loadConfiguration({
      environment: { SOUTHBRIDGE_LIMITS_MACHINE: '1', SOUTHBRIDGE_VCPU_THREADS: '0' },
      flags: [set('limit.machines', '1'), set('machines.2.name', 'x'), set('host.name', 'x'), set('port', '')],
    }),
  );
  t.strictSame(
    refused.map(({ code, details }) => [code, details.key, details.source]),
    [
      ['config-unknown-key', 'SOUTHBRIDGE_LIMITS_MACHINE', 'environment'],
      ['config-unknown-key', 'limit.machines', '--set limit.machines'],
      ['config-unknown-key', 'machines.2.name', '--set machines.2.name'],
      ['config-unknown-key', 'host.name', '--set host.name'],
      ['config-wrong-type', 'port', '--set port'],
      ['config-not-allowed', 'vcpuThreads', 'SOUTHBRIDGE_VCPU_THREADS'],
    ],
  );
  t.match(refused[0].message, /did you mean SOUTHBRIDGE_LIMITS_MACHINES\?/);
});

t.test('a file must be right by itself', async (t) => {
  const flags = [set('port', '1')];
  t.strictSame(
    refusals(() => loadText('port: x', { flags })).map(({ details }) => details.key),
    ['port'],
  );
});

t.test('numbers that JSON rounds are refused', async (t) => {
  t.strictSame(faultsOf('{"limits":{"history":9007199254740993}}', 'sb.json'), [
    'config-not-allowed limits.history @1',
  ]);
  t.strictSame(faultsOf('machines:\n  - name: a\n    hpet: { routingCapability: 18446744073709551615 }\n'), [
    'config-wrong-type machines.0.hpet.routingCapability @3',
  ]);
});

t.test('files that cannot be read', async (t) => {
  for (const [name, text] of [
    ['sb.yaml', 'port: [1'],
    ['sb.yaml', 'port: 1\nport: 2\n'],
    ['sb.json', '{"port":1,"port":2}'],
    ['sb.json', '{"port":1,}'],
    ['sb.json', ''],
    ['sb.yaml', '- port: 1'],
    ['sb.yaml', 'port'],
    ['sb.yaml', 'host: !elsewhere x'],
    ['sb.yaml', 'host: *unknown'],
  ]) {
    const [refused] = refusals(() => loadText(text, {}, name));
    t.equal(refused.code, 'config-unreadable', text);
    t.match(refused.details.file, name);
  }
  const [missing] = refusals(() => loadConfiguration({ file: '/nowhere/sb.yaml' }));
  t.match(missing.message, /^The configuration file \/nowhere\/sb\.yaml cannot be read: ENOENT/);
});

t.test('a key that JavaScript takes for something else is a key like any other', async (t) => {
  t.strictSame(faultsOf('__proto__: { port: 1 }'), ['config-unknown-key __proto__ @1']);
  t.strictSame(faultsOf('machines:\n  - name: a\n    __proto__: { vcpus: 1 }\n'), [
    'config-unknown-key machines.0.__proto__ @3',
  ]);
  t.strictSame(faultsOf('constructor: 1'), ['config-unknown-key constructor @1']);
});
