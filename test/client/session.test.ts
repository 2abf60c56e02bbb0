import { deepStrictEqual, ok } from 'node:assert/strict';
import t from 'tap';
import type { RequestError } from '../../src/client/request-error.js';
import { Session, type SessionRequest } from '../../src/client/session.js';
import { clientFrame } from '../../src/protocol/protobuf/requests.js';
import { FakeSocket, nextSocket } from '../support/fake-socket.js';
import fc from '../support/properties.js';
import { seed } from '../support/random.js';

const RUNS = { numRuns: 300, seed: seed() };
const CREDIT = 2;
const WAITING = 2;

/** A session, the server's end of its connection, and what became of each request. */
class Fixture {
  readonly ends: { [id: number]: string } = {};
  readonly session: Session<SessionRequest>;
  socket!: FakeSocket;
  /** Requests that went out and are unanswered, and those that wait: what the model says. */
  sent: SessionRequest[] = [];
  waiting: SessionRequest[] = [];
  #id = 0;

  constructor() {
    this.session = new Session(
      'http://test',
      'm',
      0,
      { WebSocket: FakeSocket as never, waitingRequests: WAITING },
      {
        hello: () => {},
        sent: () => {},
        event: () => {},
        answer: (request) => this.#end(request?.id ?? -1, 'answered'),
        failed: ({ id }, error: RequestError) => this.#end(id, error.code),
        ended: () => {},
      },
    );
  }

  get state(): string {
    return this.session.state;
  }

  async open(): Promise<void> {
    const socket = nextSocket();
    const opened = this.session.open();
    this.socket = await socket;
    this.socket.greet({ credit: CREDIT });
    await opened;
  }

  #end(id: number, how: string): void {
    ok(!(id in this.ends), `request ${id} ends once`);
    this.ends[id] = how;
  }

  /** Moves what the session has to send now, in the model. */
  pump(): void {
    while (this.session.state === 'open' && this.waiting.length > 0 && this.sent.length < CREDIT) {
      this.sent.push(this.waiting.shift() as SessionRequest);
    }
  }

  request(posted: boolean): void {
    this.#id++;
    const id = this.#id;
    const isRefused = (this.session.state !== 'open' || this.sent.length >= CREDIT) && this.waiting.length >= WAITING;
    const request = { id, frame: clientFrame({ type: 'sync', id }), posted };
    this.session.send(request);
    if (isRefused) deepStrictEqual(this.ends[id], 'too-many-requests');
    else this.waiting.push(request);
    this.pump();
  }

  answer(): void {
    const request = this.sent.find(({ posted }) => !posted);
    if (!request || this.session.state !== 'open') return;
    this.sent = this.sent.filter((each) => each !== request);
    this.socket.receive({ type: 'reply', id: request.id });
    deepStrictEqual(this.ends[request.id], 'answered');
    this.pump();
  }

  credit(): void {
    const request = this.sent.find(({ posted }) => posted);
    if (!request || this.session.state !== 'open') return;
    this.sent = this.sent.filter((each) => each !== request);
    this.socket.receive({ type: 'credit', requests: 1 });
    this.pump();
  }

  cut(): void {
    if (this.session.state !== 'open') return;
    this.socket.close(1006);
    for (const { id } of this.sent.splice(0)) deepStrictEqual(this.ends[id], 'connection-lost');
    deepStrictEqual(this.session.state, 'away');
  }

  async comeBack(): Promise<void> {
    if (this.session.state !== 'away') return;
    this.socket = await nextSocket();
    this.socket.greet({ credit: CREDIT });
    this.pump();
  }

  cancel(): void {
    const request = this.waiting.shift();
    if (request) deepStrictEqual(this.session.cancel(request.id), true);
  }
}

const step = fc.constantFrom('call', 'call', 'post', 'answer', 'answer', 'credit', 'cut', 'comeBack', 'cancel');

t.test(`requests go out in order, within credit and limit, and each ends once; seed ${RUNS.seed}`, async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
      const fixture = new Fixture();
      deepStrictEqual(String(fixture.state), 'connecting');
      await fixture.open();
      for (const each of steps) {
        if (each === 'call' || each === 'post') fixture.request(each === 'post');
        else await fixture[each]();
        const { ids } = fixture.socket;
        deepStrictEqual(
          ids,
          ids.toSorted((a, b) => a - b),
          'in order',
        );
        if (fixture.state === 'open') {
          deepStrictEqual(
            ids.filter((id) => fixture.sent.some((request) => request.id === id)).length,
            fixture.sent.length,
          );
          const unsent = fixture.waiting.filter(({ id }) => ids.includes(id));
          deepStrictEqual(unsent, [], 'what waits was not sent');
        }
      }
      const left = [...fixture.sent, ...fixture.waiting];
      fixture.session.close();
      deepStrictEqual(String(fixture.state), 'ended');
      for (const { id } of left) ok(id in fixture.ends, `request ${id} has ended`);
    }),
    RUNS,
  );
  t.pass('every one');
});
