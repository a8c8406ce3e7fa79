// Live events
function eventSource(url, stateId, hear) {
  const source = new EventSource(url);
  setState(stateId, 'connecting');
  source.onopen = () => setState(stateId, 'open');
  source.onerror = () => setState(stateId, source.readyState === EventSource.CLOSED ? 'closed' : 'connecting', source.readyState === EventSource.CLOSED ? 'refused' : 'reconnecting');
  const names = new Set();
  return {
    listen(name) {
      if (names.has(name)) return;
      names.add(name);
      source.addEventListener(name, event => { if (typeof event.data === 'string') hear(event, performance.now()); });
    },
    close() { source.close(); setState(stateId, 'closed'); },
  };
}
let ticks = null, lastTick = 0;
$('ticks-toggle').onclick = () => {
  $('ticks-toggle').textContent = ticks ? 'Start ticks' : 'Stop ticks';
  if (ticks) { ticks.close(); ticks = null; return; }
  lastTick = 0;
  ticks = eventSource('/sse/ticks', 'ticks-state', (event, now) => {
    $('ticks').dataset.count++;
    $('ticks-id').textContent = event.lastEventId;
    $('ticks-data').textContent = event.data;
    $('ticks-gap').textContent = lastTick ? ms(now - lastTick) : '–';
    lastTick = now;
    measure('events', { received: sizeOf(event.data) });
  });
  ['message', 'tick'].forEach(ticks.listen);
};

let feed = null, posted = null;
const listenNames = () => ['message', 'connected', 'heartbeat', 'notification', 'update', $('broadcast-event').value].forEach(name => feed?.listen(name));
$('events-form').onsubmit = event => {
  event.preventDefault();
  $('events-toggle').textContent = feed ? 'Connect' : 'Disconnect';
  $('events-id').disabled = !feed;
  if (feed) { feed.close(); feed = null; return; }
  const id = $('events-id').value;
  feed = eventSource('/api/events' + (id ? `?client_id=${encodeURIComponent(id)}` : ''), 'events-state', heardEvent);
  listenNames();
};
function heardEvent(event, now) {
  measure('events', { received: sizeOf(event.data) });
  const after = posted?.event === event.type ? `+${ms(now - posted.start)} ms` : '';
  if (after) posted = null;
  log('events-log', 'down', event.type, event.data, after);
  if (event.type === 'connected') try {
    const id = JSON.parse(event.data).client_id ?? event.lastEventId;
    if (id) setState('events-state', 'open', id.length > 14 ? `${id.slice(0, 13)}…` : id);
    $('events-state').dataset.client = id;
  } catch { /* the event is shown as it came */ }
}
$('broadcast-event').onchange = listenNames;
const jsonOrText = text => { try { return JSON.parse(text); } catch { return text; } };
const targets = id => { const names = $(id).value.split(',').map(name => name.trim()).filter(Boolean); return names.length ? { target_clients: names } : {}; };
const posts = {
  broadcast: () => [$('broadcast-event').value, { event: $('broadcast-event').value, data: jsonOrText($('broadcast-data').value), ...targets('broadcast-to') }],
  notify: () => ['notification', { title: $('notify-title').value, message: $('notify-message').value, priority: $('notify-priority').value }],
  update: () => ['update', { update_data: jsonOrText($('update-data').value), ...targets('update-to') }],
};
async function callApi(method, name, body) {
  try {
    if (body) log('events-log', 'up', name, body);
    const { response, bytes, time } = await exchange(method, `/api/${name}`, body, 'events');
    log('events-log', response.ok ? 'down' : 'fault', `${response.status}`, new TextDecoder().decode(bytes), `${ms(time)} ms`).dataset.api = name;
  } catch (error) { log('events-log', 'fault', name, error.message); }
}
for (const form of document.querySelectorAll('[data-post]')) form.onsubmit = event => {
  event.preventDefault();
  listenNames();
  const [name, body] = posts[form.dataset.post]();
  posted = { event: name, start: performance.now() };
  callApi('POST', form.dataset.post, JSON.stringify(body));
};
$('clients-get').onclick = () => callApi('GET', 'clients');
