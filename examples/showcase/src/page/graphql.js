// GraphQL: one operation at a time, over each of the transports.
let stopGraphql = () => {};
function tellGraphql(kind, text, start) {
  const note = start ? `${ms(performance.now() - start)} ms` : '';
  log('graphql-log', kind === 'error' ? 'fault' : 'down', kind, text, note);
}
async function graphqlByHttp(query, signal, accept) {
  const start = performance.now();
  const response = await fetch('/graphql', { method: 'POST', signal, body: JSON.stringify({ query }),
    headers: { 'content-type': 'application/json', accept } });
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
    const text = await response.text();
    measure('graphql', { sent: sizeOf(query), received: sizeOf(text), time: performance.now() - start });
    return tellGraphql(response.status, text, start);
  }
  let text = '';
  for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
    text += piece;
    for (let end; (end = text.indexOf('\n\n')) >= 0; text = text.slice(end + 2)) {
      const [, name] = text.slice(0, end).match(/^event: (.*)/m) ?? [], [, data] = text.slice(0, end).match(/^data: (.*)/m) ?? [];
      measure('graphql', { received: sizeOf(data ?? '') });
      if (name) tellGraphql(name, data ?? '');
    }
  }
}
const graphqlBySocket = (query, signal) => new Promise((resolve, reject) => {
  const socket = new WebSocket(`${location.protocol.replace('http', 'ws')}//${location.host}/graphql`, 'graphql-transport-ws');
  signal.onabort = () => socket.close();
  socket.onopen = () => socket.send(JSON.stringify({ type: 'connection_init' }));
  socket.onclose = ({ code, reason }) => code === 1000 || signal.aborted ? resolve() : reject(new Error(`${code} ${reason}`));
  socket.onmessage = ({ data }) => {
    const { type, payload } = JSON.parse(data);
    measure('graphql', { received: sizeOf(data) });
    if (type === 'connection_ack') socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query } }));
    else if (type === 'ping') socket.send(JSON.stringify({ type: 'pong' }));
    else tellGraphql(type, JSON.stringify(payload ?? ''));
    if (type === 'complete' || type === 'error') socket.close(1000);
  };
});
$('graphql-form').onsubmit = async event => {
  event.preventDefault();
  stopGraphql();
  const stop = new AbortController(), query = $('graphql-document').value, transport = $('graphql-transport').value;
  stopGraphql = () => stop.abort();
  log('graphql-log', 'up', transport, query);
  setState('graphql-state', 'open', 'running');
  try {
    if (transport === 'socket') await graphqlBySocket(query, stop.signal);
    else await graphqlByHttp(query, stop.signal, transport === 'events' ? 'text/event-stream' : 'application/graphql-response+json');
  } catch (error) {
    if (!stop.signal.aborted) tellGraphql('error', error.message);
  }
  setState('graphql-state', 'closed', 'idle');
};
$('graphql-stop').onclick = () => stopGraphql();
$('graphql-example').onchange = () => { $('graphql-document').value = $('graphql-example').value; };
