// The server as its own client.
async function askOwn(kind) {
  log('own-log', 'up', kind, `/own/${kind}`);
  try {
    const response = await fetch(`/own/${kind}`, { cache: 'no-store' }), told = await response.json();
    if (!response.ok) throw new Error(told.error);
    const line = (name, text, note) => { log('own-log', 'down', name, text, note).dataset.own = kind; };
    if (kind === 'grpc') line('gRPC', `${told.messages.length} messages: ${told.messages.join(', ')}`, `${told.microseconds} µs`);
    else {
      for (const it of told.exchanges) line(it.version, `GET ${it.path}: ${it.status}, ${units(it.bytes)}`, `${it.microseconds} µs`);
      line('HTTP/2', `${told.exchanges.length} requests on ${told.connections} connection${told.connections === 1 ? '' : 's'}`, '');
    }
  } catch (error) { log('own-log', 'fault', kind, error.message); }
}
for (const button of document.querySelectorAll('[data-own]')) button.onclick = () => askOwn(button.dataset.own);
