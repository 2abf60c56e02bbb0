import t from 'tap';
import { parse } from 'yaml';
import { loadConfiguration } from '../../src/config/sources.js';
import { southbridge } from '../support/program.js';
import { temporaryFile } from './load.js';

t.test('config check', async (t) => {
  const good = temporaryFile('good.yaml', 'machines:\n  - name: a\n  - name: b\n');
  t.strictSame(southbridge(['config', 'check', good.path], { SOUTHBRIDGE_PORT: 'not looked at' }), {
    status: 0,
    stdout: `${good.path}: ok; machines: a, b\n`,
    stderr: '',
  });
  const bad = temporaryFile('bad.json', '{"port": "8080",\n"hots": "x"}');
  const { status, stdout, stderr } = southbridge(['config', 'check', bad.path]);
  t.equal(status, 1);
  t.equal(stdout, '');
  t.match(stderr, `The key port (${bad.path}, line 1) has a value of the wrong type`);
  t.match(stderr, `Unknown key hots (${bad.path}, line 2) (did you mean host?)`);
  t.equal(southbridge(['config', 'check', '/nowhere.yaml']).status, 1);
  t.equal(southbridge(['config', 'check']).status, 2, 'no file named');
  good.remove();
  bad.remove();
});

t.test('serve --print-config shows values and where they came from, as YAML that can be used again', async (t) => {
  const file = temporaryFile('sb.yaml', 'machines:\n  - name: a\n    locking: bql\n');
  const { status, stdout } = southbridge(
    [
      'serve',
      '--config',
      file.path,
      '--port',
      '9',
      '--vcpu-threads',
      '4',
      '--set',
      'limits.machines=3',
      '--print-config',
    ],
    { SOUTHBRIDGE_LIMITS_HISTORY: '5' },
  );
  t.equal(status, 0);
  const lines = stdout.split('\n').map((line) => line.trim());
  for (const line of [
    'host: 127.0.0.1 # default',
    'port: 9 # --port',
    'vcpuThreads: 4 # --vcpu-threads',
    'allowedHosts: [] # default',
    'machines: 3 # --set limits.machines',
    'history: 5 # SOUTHBRIDGE_LIMITS_HISTORY',
    `- name: a # ${file.path}, line 2`,
    `locking: bql # ${file.path}, line 3`,
    'quirks: {} # default',
    'version: "0x20" # default',
  ]) {
    t.ok(lines.includes(line), line);
  }
  const again = temporaryFile('again.yaml', stdout);
  t.strictSame(loadConfiguration({ file: again.path }).configuration, parse(stdout));
  file.remove();
  again.remove();
});

t.test('serve --print-config --json', async (t) => {
  const { status, stdout } = southbridge(['serve', '--print-config', '--json', '--log-level', 'warn'], {
    SOUTHBRIDGE_HOST: '::1',
  });
  t.equal(status, 0);
  const { configuration, sources } = JSON.parse(stdout);
  t.equal(configuration.logLevel, 'warn');
  t.strictSame(sources.logLevel, { kind: 'flag', name: '--log-level' });
  t.strictSame(sources.host, { kind: 'environment', name: 'SOUTHBRIDGE_HOST' });
  t.strictSame(sources['machines.0.hpet.quirks'], { kind: 'default' });
  t.strictSame(sources.allowedHosts, { kind: 'default' });
});

t.test('a wrong key stops the start', async (t) => {
  const { status, stdout, stderr } = southbridge(['serve', '--port', '65536'], { SOUTHBRIDGE_PROT: '1' });
  t.equal(status, 1);
  t.equal(stdout, '');
  t.match(stderr, 'Unknown key SOUTHBRIDGE_PROT (environment) (did you mean SOUTHBRIDGE_PORT?)');
  t.match(stderr, 'The value 65536 of key port (--port) is not allowed; it must be a whole number from 0 to 65535.');
  t.equal(southbridge(['serve', '--prot', '1']).status, 2, 'no such flag');
});
