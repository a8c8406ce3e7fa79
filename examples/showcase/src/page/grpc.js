// gRPC-Web: frames of one flag byte, four length bytes and a message; the last one (flag 0x80) holds the trailers.
const CODES = 'OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS UNAUTHENTICATED'.split(' ');
function frame(message) {
  const bytes = new Uint8Array(5 + message.length);
  new DataView(bytes.buffer).setUint32(1, message.length);
  bytes.set(message, 5);
  return bytes;
}
function frameReader(each) {
  let bytes = new Uint8Array(0), at = 0;
  return piece => {
    const joined = new Uint8Array(bytes.length + piece.length);
    joined.set(bytes);
    joined.set(piece, bytes.length);
    bytes = joined;
    while (bytes.length - at >= 5) {
      const end = at + 5 + new DataView(bytes.buffer).getUint32(at + 1);
      if (bytes.length < end) break;
      each(bytes[at], bytes.subarray(at + 5, end));
      at = end;
    }
    return bytes;
  };
}
// Base64 may be padded wherever the server flushed, so each group of four stands alone.
function base64Reader() {
  let text = '';
  return piece => {
    text += new TextDecoder('latin1').decode(piece);
    const whole = text.length & ~3;
    const decoded = text.slice(0, whole).replace(/.{4}/g, atob);
    text = text.slice(whole);
    return Uint8Array.from(decoded, char => char.charCodeAt(0));
  };
}
const percentDecoded = text => { try { return decodeURIComponent(text); } catch { return text; } };
async function call(method, message, signal, eachMessage) {
  const start = performance.now(), text = $('grpc-encoding').value === 'text';
  const request = frame(message), body = text ? btoa(String.fromCharCode(...request)) : request;
  const type = `application/grpc-web${text ? '-text' : ''}+proto`;
  const reply = { request, response: new Uint8Array(0), sent: body.length, received: 0, fields: new Headers() };
  const http = await fetch(`/user_service.UserService/${method}`, { method: 'POST', body, signal, headers: { 'content-type': type, accept: type, 'x-grpc-web': '1' } });
  if (http.headers.has('grpc-status')) reply.fields = http.headers;
  const decodePiece = text ? base64Reader() : piece => piece;
  const readFrames = frameReader((flags, bytes) => {
    if (!(flags & 0x80)) return eachMessage(bytes, performance.now() - start);
    reply.fields = new Headers(new TextDecoder().decode(bytes).trim().split(/\r?\n/).map(line => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
    }));
  });
  if (http.ok) for (const reader = http.body.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) break;
    reply.received += value.length;
    reply.response = readFrames(decodePiece(value));
  }
  const code = reply.fields.get('grpc-status');
  reply.code = code === null ? http.ok ? 2 : `HTTP ${http.status}` : Number(code);
  reply.message = code === null ? 'no grpc-status was received' : percentDecoded(reply.fields.get('grpc-message') ?? '');
  return { ...reply, time: performance.now() - start };
}
function dump(pre, bytes) {
  const width = pre.clientWidth < 520 ? 8 : 16, kinds = [];
  for (let at = 0; at + 5 <= bytes.length;) {
    const end = at + 5 + new DataView(bytes.buffer).getUint32(at + 1), trailer = bytes[at] & 0x80;
    kinds.push('flag', ...Array(4).fill('length'));
    while (kinds.length < Math.min(end, bytes.length)) kinds.push(trailer ? 'trailer' : '');
    at = end;
  }
  const parts = [], shown = Math.min(bytes.length, 4096);
  const run = (from, to, show) => {
    for (let at = from, next; at < to; at = next) {
      for (next = at + 1; next < to && kinds[next] === kinds[at];) next++;
      parts.push(element('span', Array.from(bytes.subarray(at, next), show).join(''), kinds[at]));
    }
  };
  for (let at = 0; at < shown; at += width) {
    const end = Math.min(at + width, shown);
    parts.push(element('span', at.toString(16).padStart(4, '0') + '  ', 'offset'));
    run(at, end, byte => byte.toString(16).padStart(2, '0') + ' ');
    parts.push('   '.repeat(width - (end - at)) + ' ');
    run(at, end, byte => byte > 31 && byte < 127 ? String.fromCharCode(byte) : '·');
    parts.push('\n');
  }
  if (shown < bytes.length) parts.push(`… ${units(bytes.length - shown)} more`);
  pre.replaceChildren(...parts);
}
function showUser(user, time) {
  const row = element('tr'), id = element('td'), choose = Object.assign(element('button', user.id), { type: 'button', title: 'Put this user into the form' });
  choose.onclick = () => { for (const name of ['id', 'name', 'email', 'age', 'roles']) $(`grpc-${name}`).value = name === 'roles' ? user.roles.join(', ') : user[name]; };
  id.append(choose);
  row.dataset.user = user.id;
  row.append(id, ...[user.name, user.email, user.age, user.roles.join(', '), ms(time)].map(value => element('td', value)));
  $('grpc-rows').append(row);
}
const input = name => $(`grpc-${name}`).value.trim();
const userInput = () => ({ id: input('id'), name: input('name'), email: input('email'), age: Number(input('age')), roles: input('roles').split(',').map(role => role.trim()).filter(Boolean) });
const ID = [[1, 'id', 'string']];
const methods = {
  GetUser: () => encode(ID, userInput()),
  CreateUser: () => encode(USER.slice(1).map(([number, ...rest]) => [number - 1, ...rest]), userInput()),
  UpdateUser: () => encode([...ID, [2, 'user', 'user']], { id: input('id'), user: userInput() }),
  DeleteUser: () => encode(ID, userInput()),
  ListUsers: () => encode([[1, 'size', 'int32'], [2, 'token', 'string'], [3, 'filter', 'string']], { size: Number(input('page-size')), token: input('page-token'), filter: input('filter') }),
};
let calls = null;
async function invoke(method) {
  calls?.abort();
  const { signal } = calls = new AbortController();
  const result = $('grpc-result');
  let note = '', messages = 0;
  $('grpc-rows').replaceChildren();
  try {
    const reply = await call(method, methods[method](), signal, (bytes, time) => {
      messages++;
      if (method === 'DeleteUser') note = decode(DELETED, bytes).message;
      else {
        const user = decode(USER, bytes);
        if (method === 'CreateUser') $('grpc-id').value = user.id;
        showUser(user, time);
      }
    });
    measure('grpc', { sent: reply.sent, received: reply.received, time: reply.time });
    result.dataset.ok = reply.code === 0 ? 'yes' : 'no';
    result.dataset.status = reply.code;
    result.dataset.messages = messages;
    $('grpc-status').textContent = `${reply.code} ${CODES[reply.code] ?? ''}`;
    $('grpc-message').textContent = reply.message || note;
    $('grpc-sent').textContent = reply.sent;
    $('grpc-received').textContent = reply.received;
    $('grpc-ms').textContent = ms(reply.time);
    dump($('grpc-request'), reply.request);
    dump($('grpc-response'), reply.response);
  } catch (error) {
    if (signal.aborted) return;
    result.dataset.ok = 'no';
    $('grpc-status').textContent = 'failed';
    $('grpc-message').textContent = error.message;
  }
  $('grpc-method').textContent = method;
  result.dataset.count++;
}
for (const form of ['grpc-user-form', 'grpc-list-form']) $(form).onsubmit = event => { event.preventDefault(); if (form === 'grpc-list-form') invoke('ListUsers'); };
for (const button of document.querySelectorAll('button[type=button][data-grpc]')) button.onclick = () => invoke(button.dataset.grpc);
