// Connect: unary calls are plain JSON; messages of a stream have gRPC's five bytes in front.
async function callConnect(kind, id) {
  const message = JSON.stringify(kind === 'stream' ? { pageSize: 5 } : { id });
  const service = '/user_service.UserService/', start = performance.now();
  log('connect-log', 'up', kind, message);
  try {
    let response, sent = sizeOf(message);
    if (kind === 'GET') response = await fetch(`${service}GetUser?${new URLSearchParams({ connect: 'v1', encoding: 'json', message })}`, { cache: 'no-store' });
    else if (kind === 'POST') response = await fetch(`${service}GetUser`, { method: 'POST', body: message, headers: { 'content-type': 'application/json' } });
    else {
      const body = frame(utf8.encode(message));
      sent = body.length;
      response = await fetch(`${service}ListUsers`, { method: 'POST', body, headers: { 'content-type': 'application/connect+json' } });
    }
    const bytes = new Uint8Array(await response.arrayBuffer()), time = performance.now() - start;
    const messages = [];
    if (kind === 'stream' && response.ok) frameReader((flags, part) => messages.push(new TextDecoder().decode(part)))(bytes);
    else messages.push(new TextDecoder().decode(bytes));
    for (const text of messages) log('connect-log', response.ok ? 'down' : 'fault', `${response.status}`, text, `${ms(time)} ms`).dataset.call = kind;
    measure('connect', { sent, received: bytes.length, time });
  } catch (error) { log('connect-log', 'fault', kind, error.message); }
}
$('connect-form').onsubmit = event => {
  event.preventDefault();
  callConnect($('connect-kind').value, $('connect-id').value);
};
