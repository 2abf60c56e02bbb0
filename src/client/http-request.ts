import type { ClientRequest, IncomingMessage } from 'node:http';
import { isNode, nodeModule, targetOf } from './address.js';

export interface HttpInit {
  readonly method?: string;
  readonly headers?: { readonly [name: string]: string };
  readonly body?: string;
  readonly signal?: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly ok: boolean;
  readonly isJson: boolean;
  readonly text: string;
}

/** A request by HTTP to a `resourceUrl`. Rejects as `fetch` does if no server answers. */
export async function httpRequest(url: string, init: HttpInit = {}): Promise<HttpAnswer> {
  if (isNode()) return inNode(url, init);
  const response = await fetch(url, init);
  return answer(response.status, response.headers.get('content-type'), await response.text());
}

function answer(status: number, type: string | null | undefined, text: string): HttpAnswer {
  return { status, ok: status >= 200 && status < 300, isJson: type?.includes('json') ?? false, text };
}

/**
 * `fetch` knows no Unix sockets. That of Node 20 also never settles if a connection is closed as soon as it is accepted, as a
 * proxy does whose server is down, and does not keep its thread alive meanwhile.
 */
function inNode(url: string, { method = 'GET', headers, body, signal }: HttpInit): Promise<HttpAnswer> {
  const { isSecure, ...target } = targetOf(url);
  const { request } = nodeModule<typeof import('node:http')>(isSecure ? 'node:https' : 'node:http');
  return new Promise((resolve, reject) => {
    const failed = (cause: Error) => reject(new TypeError('fetch failed', { cause }));
    const options = { ...target, method, headers, ...(signal && { signal }) };
    const sent: ClientRequest = request(options, (response: IncomingMessage) => {
      response.setEncoding('utf8').on('error', failed);
      let text = '';
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve(answer(response.statusCode ?? 0, response.headers['content-type'], text)));
    });
    sent.on('error', failed).end(body);
  });
}
