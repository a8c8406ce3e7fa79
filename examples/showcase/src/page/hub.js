// Channels that remember: `places` says up to where all of a channel has come.
const places = new Map(), requests = new Map();
let away = false;
const hub = webSocket('hub', '/ws/hub', heardHub, () => requests.clear());
const isOpen = () => $('hub-state').dataset.state === 'open';
const ask = async payload => {
  const message_id = hexOf(randomBytes(8)).replaceAll(' ', '');
  const text = JSON.stringify({ message_id, message_type: 'text', payload });
  requests.set(message_id, performance.now());
  log('hub-log', 'up', payload.type, text).dataset.channel = payload.channel;
  measure('hub', { sent: sizeOf(text) });
  return hub.send(text);
};
// Connects, and goes on in every channel from where it was.
async function resume() {
  if (away) return false;
  if (isOpen()) return true;
  if (!await hub.connect()) return false;
  for (const [channel, place] of places) ask({ type: 'subscribe', channel, ...place });
  return true;
}
function reach(channel, { epoch, offset }) {
  const place = places.get(channel);
  if (!place || !epoch || (epoch === place.epoch && offset < place.offset)) return;
  Object.assign(place, { epoch, offset });
}
function heardHub(text, now) {
  measure('hub', { received: sizeOf(text) });
  const message = JSON.parse(text), { payload, channel } = message;
  if (channel) {
    const line = log('hub-log', 'down', channel, JSON.stringify(payload), message.offset ? `offset ${message.offset}` : '');
    Object.assign(line.dataset, { channel, kind: 'publication', offset: message.offset ?? '' });
    return reach(channel, message);
  }
  const start = requests.get(payload?.in_reply_to), time = start && now - start;
  requests.delete(payload?.in_reply_to);
  if (time) measure('hub', { time });
  const line = log('hub-log', payload?.type === 'error' ? 'fault' : 'down', payload?.type ?? message.message_type, JSON.stringify(payload), time ? `${ms(time)} ms` : '');
  line.dataset.channel = payload?.channel ?? '';
  if (payload?.type === 'subscribed') {
    const { recovered, offset } = payload, before = places.get(payload.channel);
    const missed = offset - (before?.offset ?? offset);
    const words = { true: `recovered: ${missed} missed`, false: 'something is missing', null: 'subscribed' }[recovered];
    $('hub-place').textContent = `${payload.channel}: ${words}`;
    $('hub-place').dataset.recovered = recovered;
    if (before && recovered !== true) Object.assign(before, { epoch: payload.epoch, offset });
  } else if (payload?.type === 'published') reach(payload.channel, payload);
  else if (payload?.type === 'missed') $('hub-place').textContent = `${payload.channel}: ${payload.publications} left out`;
}
function showChannels() {
  $('hub-channels').hidden = !places.size;
  $('hub-channels').replaceChildren(...Array.from(places.keys(), channel => {
    const tag = Object.assign(element('button', channel), { type: 'button', title: `Broadcast to ${channel}` });
    tag.onclick = () => { $('hub-channel').value = channel; $('hub-data').focus(); };
    return tag;
  }));
}
$('hub-toggle').onclick = () => isOpen() ? hub.close() : resume();
$('hub-channel-form').onsubmit = async event => {
  event.preventDefault();
  const channel = $('hub-channel').value;
  if (!await resume() || places.has(channel)) return;
  places.set(channel, {});
  showChannels();
  ask({ type: 'subscribe', channel });
};
$('hub-unsubscribe').onclick = async () => {
  const channel = $('hub-channel').value;
  places.delete(channel);
  showChannels();
  if (await resume()) ask({ type: 'unsubscribe', channel });
};
$('hub-form').onsubmit = async event => {
  event.preventDefault();
  if (await resume()) ask({ type: 'broadcast', channel: $('hub-channel').value, data: jsonOrText($('hub-data').value) });
};
$('hub-offline').onclick = () => {
  const controls = ['hub-offline', 'hub-toggle', 'hub-subscribe', 'hub-unsubscribe', 'hub-send'].map($);
  const setAway = to => {
    away = to;
    for (const control of controls) control.disabled = to;
    $('hub-offline').dataset.offline = to ? 'yes' : 'no';
  };
  setAway(true);
  hub.close();
  let left = 5;
  const count = () => {
    $('hub-offline').textContent = left ? `Back in ${left} s` : 'Go offline for 5 s';
    if (left-- > 0) return setTimeout(count, 1000);
    setAway(false);
    resume();
  };
  count();
};
