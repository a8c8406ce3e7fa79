// Chat rooms
const rooms = new Set();
let questions = [];
const chat = webSocket('chat', '/ws/chat', heardChat, () => { rooms.clear(); questions = []; showRooms(); });
async function say(type, payload, answer) {
  const text = JSON.stringify({ type, payload });
  if (!await chat.connect()) return false;
  if (answer) questions.push({ answer, start: performance.now() });
  log('chat-log', 'up', type, text);
  measure('chat', { sent: sizeOf(text) });
  return chat.send(text);
}
function answered(answer, now) {
  const at = questions.findIndex(question => question.answer === answer);
  if (at < 0) return undefined;
  const [{ start }] = questions.splice(at, 1);
  measure('chat', { time: now - start });
  return now - start;
}
const clock = stamp => stamp && !isNaN(new Date(stamp)) ? new Date(stamp).toLocaleTimeString('en-GB') : '';
const notice = (text, kind) => { append($('chat-talk'), element('p', text, 'notice')).dataset.kind = kind; };
function heardChat(text, now) {
  measure('chat', { received: sizeOf(text) });
  const { type, payload = {} } = JSON.parse(text);
  const { command, room, sender = '' } = payload;
  let time;
  if (type === 'chat') {
    time = answered(`chat ${room} ${payload.message}`, now);
    const line = element('p', '', time === undefined ? 'said' : 'said own');
    Object.assign(line.dataset, { kind: 'chat', room });
    const name = element('b', String(sender).slice(0, 12));
    name.title = sender;
    line.append(name, element('small', room), element('span', payload.message), element('small', clock(payload.timestamp)));
    append($('chat-talk'), line);
  } else if (type === 'error') notice(payload.message, 'error');
  else if (command === 'pong') notice(`pong after ${ms(time = answered('pong', now) ?? 0)} ms`, command);
  else if (command === 'stats') {
    time = answered('stats', now);
    const { total_clients: clients, total_rooms: total, rooms: sizes = {} } = payload.data ?? {};
    notice(`Connected: ${clients}. Rooms: ${total}${Object.entries(sizes).map(([name, size]) => `, ${size} in ${name}`).join('')}`, command);
  } else if (command === 'user_joined' || command === 'user_left') notice(`Somebody ${command.slice(5)} ${room}`, command);
  else if (payload.message && command !== 'welcome') notice(payload.message, command ?? type);
  log('chat-log', 'down', type, text, time === undefined ? '' : `${ms(time)} ms`).dataset.command = command ?? '';
}
function showRooms() {
  $('chat-rooms').hidden = !rooms.size;
  $('chat-rooms').replaceChildren(...Array.from(rooms, room => {
    const tag = Object.assign(element('button', room), { type: 'button', title: `Talk in ${room}` });
    tag.onclick = () => { $('chat-room').value = room; $('chat-message').focus(); };
    return tag;
  }));
}
async function setMember(action, room) {
  if (!await say('room', { action, room })) return;
  rooms[action === 'join' ? 'add' : 'delete'](room);
  notice(action === 'join' ? `You joined ${room}` : `You left ${room}`, `self_${action}`);
  showRooms();
}
$('chat-room-form').onsubmit = event => { event.preventDefault(); setMember('join', $('chat-room').value); };
$('chat-leave').onclick = () => setMember('leave', $('chat-room').value);
$('chat-form').onsubmit = async event => {
  event.preventDefault();
  const room = $('chat-room').value, message = $('chat-message').value;
  if (!message) return notice('Nothing was sent: the message is empty.', 'empty');
  $('chat-message').value = '';
  if (!rooms.has(room)) await setMember('join', room);
  say('chat', { message, room }, `chat ${room} ${message}`);
};
$('chat-ping').onclick = () => say('system', { command: 'ping' }, 'pong');
$('chat-stats').onclick = () => say('system', { command: 'get_stats' }, 'stats');
$('chat-invalid').onclick = async () => {
  if (!await chat.send('{"type":')) return;
  log('chat-log', 'up', 'broken', '{"type":');
  measure('chat', { sent: 8 });
};
