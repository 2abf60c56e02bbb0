// Exit status 0 if machines of the server in this container can be used. The image has no curl.
const port = process.env.SOUTHBRIDGE_PORT ?? '8080';
const response = await fetch(`http://127.0.0.1:${port}/readyz`);
if (!response.ok) throw new Error(`/readyz: ${response.status} ${await response.text()}`);
