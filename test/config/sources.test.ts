import t from 'tap';
import { originText } from '../../src/config/settings.js';
import { loadConfiguration, variableName } from '../../src/config/sources.js';
import { pathName } from '../../src/schema/keys.js';
import { loadText, set, temporaryFile } from './load.js';

const DEFAULT_MACHINE = {
  name: 'default',
  locking: 'lockless-timer',
  clock: 'realtime',
  hpet: { timers: 3, msi: false, routingCapability: '0x00ff0104', profile: 'standard', quirks: {} },
  ioapic: { version: '0x20', id: 0 },
  vcpus: 8,
  timer: { generationCheck: true },
  pic: true,
  xen: { form: 'none', gsi: 9 },
  seqlock: 'short',
  bql: { load: { duty: 0, hold: '500000', mode: 'sleep' } },
  statistics: 'default',
  metrics: 'own',
  locks: { mutex: 'barging', checkOrder: true },
  onDeadlock: 'break',
};

t.test('without any source everything is as documented', async (t) => {
  const { configuration, settings } = loadConfiguration({});
  const { limits, ...rest } = configuration;
  t.strictSame(rest, {
    host: '127.0.0.1',
    port: 8080,
    design: '',
    listen: 'tcp',
    logLevel: 'info',
    vcpuThreads: 2,
    execution: 'auto',
    allowedHosts: [],
    allowedOrigins: [],
    trustProxy: [],
    tokenFile: '',
    insecure: false,
    tls: { certFile: '', keyFile: '' },
    heartbeatMs: 15_000,
    resumeGraceMs: 30_000,
    stateDir: '',
    stateIntervalMs: 10_000,
    stateCounter: 'continue',
    cluster: {
      servers: [],
      node: '',
      address: '',
      credentialsFile: '',
      bucket: 'southbridge',
      replicas: 3,
      leaseMs: 3000,
      redirect: false,
      eventRecords: 1000,
      eventHours: 24,
    },
    watchdog: { exit: false },
    machines: [DEFAULT_MACHINE],
  });
  t.equal(limits.machines, 1024);
  t.equal(originText(settings.originOf(['port'])), 'default');
});

t.test('two configurations share nothing', async (t) => {
  const first = loadConfiguration({}).configuration;
  first.machines[0].hpet.timers = 24;
  first.allowedHosts.push('x');
  t.strictSame(loadConfiguration({}).configuration.machines, [DEFAULT_MACHINE]);
  t.strictSame(loadConfiguration({}).configuration.allowedHosts, []);
});

t.test('YAML and JSON say the same', async (t) => {
  const yaml = loadText(
    'port: 1234\nlimits: { machines: 3 }\nmachines:\n  - name: a\n    ioapic: { version: "0x11" }\n',
  );
  const json = loadText(
    '{"port":1234,"limits":{"machines":3},"machines":[{"name":"a","ioapic":{"version":"0x11"}}]}',
    {},
    'sb.json',
  );
  t.strictSame(json.configuration, yaml.configuration);
  t.equal(yaml.configuration.port, 1234);
  t.equal(yaml.configuration.limits.machines, 3);
  t.equal(yaml.configuration.limits.history, 4096, 'other limits keep their defaults');
  t.strictSame(yaml.configuration.machines, [
    { ...DEFAULT_MACHINE, name: 'a', ioapic: { ...DEFAULT_MACHINE.ioapic, version: '0x11' } },
  ]);
});

t.test('an empty file changes nothing', async (t) => {
  t.strictSame(loadText('# nothing yet\n').configuration, loadConfiguration({}).configuration);
});

t.test('later sources win, key by key', async (t) => {
  const { configuration, settings } = loadText(
    'host: file.example\nport: 1\nlogLevel: debug\nlimits:\n  machines: 2\n  connections: 3\ninsecure: true\n',
    {
      environment: {
        SOUTHBRIDGE_PORT: '10',
        SOUTHBRIDGE_LOG_LEVEL: 'warn',
        SOUTHBRIDGE_LIMITS_MACHINES: '20',
        PATH: '/bin',
      },
      flags: [
        { key: 'logLevel', text: 'error', flag: '--log-level' },
        set('limits.history', '7'),
        set('limits.history', '8'),
      ],
    },
  );
  t.equal(configuration.host, 'file.example');
  t.equal(configuration.port, 10);
  t.equal(configuration.logLevel, 'error');
  t.match(configuration.limits, { machines: 20, connections: 3, history: 8, frameBytes: 1_048_576 });
  const origin = (...path: string[]) => originText(settings.originOf(path)).replace(/^.*\//, '');
  t.equal(origin('host'), 'sb.yaml, line 1');
  t.equal(origin('port'), 'SOUTHBRIDGE_PORT');
  t.equal(origin('logLevel'), '--log-level');
  t.equal(origin('limits', 'machines'), 'SOUTHBRIDGE_LIMITS_MACHINES');
  t.equal(origin('limits', 'connections'), 'sb.yaml, line 6');
  t.equal(origin('limits', 'history'), '--set limits.history');
  t.equal(origin('limits', 'frameBytes'), 'default');
});

t.test('SOUTHBRIDGE_CONFIG names the file, and --config wins over it', async (t) => {
  const one = temporaryFile('one.yaml', 'port: 1');
  const two = temporaryFile('two.yaml', 'port: 2');
  const environment = { SOUTHBRIDGE_CONFIG: one.path };
  t.equal(loadConfiguration({ environment }).configuration.port, 1);
  t.equal(loadConfiguration({ environment, file: two.path }).configuration.port, 2);
  one.remove();
  two.remove();
});

t.test('lists from the environment', async (t) => {
  const environment = {
    SOUTHBRIDGE_ALLOWED_HOSTS: 'a.example, b.example',
    SOUTHBRIDGE_ALLOWED_ORIGINS: '["https://a.example"]',
    SOUTHBRIDGE_MACHINES:
      '[{"name":"a"},{"name":"b","locking":{"mmio":"bql","timer":"bql","irq":"inline","control":"none"}}]',
  };
  const { configuration, settings } = loadConfiguration({ environment });
  t.strictSame(configuration.allowedHosts, ['a.example', 'b.example']);
  t.strictSame(configuration.allowedOrigins, ['https://a.example']);
  t.strictSame(
    configuration.machines.map(({ name }) => name),
    ['a', 'b'],
  );
  t.equal(originText(settings.originOf(['machines', 1, 'locking', 'mmio'])), 'SOUTHBRIDGE_MACHINES');
  t.equal(originText(settings.originOf(['machines', 1, 'clock'])), 'default');
  t.strictSame(loadConfiguration({ environment: { SOUTHBRIDGE_ALLOWED_HOSTS: '' } }).configuration.allowedHosts, []);
});

t.test('--set reaches into machines and adds them', async (t) => {
  const { configuration } = loadConfiguration({
    flags: [
      set('machines.0.locking', '{"mmio":"device","timer":"device","irq":"lockless","control":"ordered"}'),
      set('machines.0.hpet.quirks.eoi-storm', 'true'),
      set('machines.1.name', 'second'),
      set('machines.1.clock', 'manual'),
    ],
  });
  t.match(configuration.machines, [
    { name: 'default', locking: { irq: 'lockless' }, hpet: { quirks: { 'eoi-storm': true }, timers: 3 } },
    { name: 'second', clock: 'manual', locking: 'lockless-timer' },
  ]);
});

t.test('a list is replaced as a whole, with the origins of its parts', async (t) => {
  const { configuration, settings } = loadText('machines:\n  - name: a\n    vcpus: 2\n', {
    environment: { SOUTHBRIDGE_MACHINES: '[{"name":"b"}]' },
  });
  t.match(configuration.machines, [{ name: 'b', vcpus: 8 }]);
  t.equal(originText(settings.originOf(['machines', 0, 'vcpus'])), 'default');
});

t.test('names of variables follow from the keys', async (t) => {
  t.equal(variableName(['limits', 'frameBytes']), 'SOUTHBRIDGE_LIMITS_FRAME_BYTES');
  t.equal(variableName(['vcpuThreads']), 'SOUTHBRIDGE_VCPU_THREADS');
  t.equal(pathName(['machines', 0, 'name']), 'machines.0.name');
});
