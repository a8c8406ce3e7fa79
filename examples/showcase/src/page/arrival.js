// Each panel runs once by itself, one after the other; opened as /?by-hand, none does.
const shown = (list, selector) => new Promise(resolve => {
  const look = () => $(list).querySelector(selector) ? (watch.disconnect(), resolve()) : undefined;
  const watch = new MutationObserver(look);
  watch.observe($(list), { childList: true, subtree: true });
  look();
});
const arrivals = {
  connection: showConnection,
  cost: showCost,
  http: () => request('GET', '/json', ''),
  codings: showCodings,
  files: async () => { for (const kind of ['whole', 'range', 'changed']) await showFile(kind); },
  echo: () => sendEcho($('echo-text').value),
  // It joins and says nothing: there may be others.
  chat: async () => { await setMember('join', $('chat-room').value); await say('system', { command: 'ping' }, 'pong'); },
  events: async () => {
    await callApi('GET', 'clients');
    $('ticks-toggle').click();
    // Two ticks: a stream that stays would keep one of the browser's six connections.
    await new Promise(resolve => { const look = () => Number($('ticks').dataset.count) > 1 ? resolve() : setTimeout(look, 50); look(); });
    if (ticks) $('ticks-toggle').click();
  },
  connect: () => callConnect('POST', $('connect-id').value),
  own: async () => { for (const kind of ['grpc', 'http2']) await askOwn(kind); },
  hub: () => $('hub-channel-form').requestSubmit(),
  graphql: () => { $('graphql-form').requestSubmit(); return shown('graphql-log', '[data-way=down], [data-way=fault]'); },
  grpc: () => invoke('ListUsers'),
};
async function arrive() {
  for (const [name, run] of Object.entries(arrivals)) {
    // One that gets no answer does not keep the others waiting.
    await Promise.race([run(), new Promise(resolve => setTimeout(resolve, 10_000))]);
    $(name).dataset.arrived = 'yes';
  }
  document.body.dataset.arrived = 'yes';
}
if (!new URLSearchParams(location.search).has('by-hand')) arrive();
