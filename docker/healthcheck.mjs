// Exit status 0 if machines of the server in this container can be used. The image has no curl.
import http from 'node:http';
import https from 'node:https';

const { SOUTHBRIDGE_PORT: port = '8080', SOUTHBRIDGE_TLS_CERT_FILE: certificate } = process.env;
// The certificate is made out to the server's name, and not to loopback.
const request = certificate
  ? https.get({ host: '127.0.0.1', port, path: '/readyz', rejectUnauthorized: false })
  : http.get({ host: '127.0.0.1', port, path: '/readyz' });
request.on('response', (response) => {
  response.pipe(process.stdout);
  process.exitCode = response.statusCode === 200 ? 0 : 1;
});
request.on('error', ({ message }) => {
  console.log(message);
  process.exitCode = 1;
});
