// HTTP
const isText = bytes => { try { return !/[\0-\x08\x0e-\x1f]/.test(new TextDecoder('utf-8', { fatal: true }).decode(bytes)); } catch { return false; } };
const hexOf = bytes => Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join(' ');
function preview(bytes) {
  const shown = bytes.subarray(0, 2048);
  const rest = bytes.length > shown.length ? `\n… ${units(bytes.length - shown.length)} more` : '';
  return (isText(shown) ? new TextDecoder().decode(shown) : hexOf(shown.subarray(0, 512))) + rest;
}
async function exchange(method, path, body, meter = 'http') {
  const bodiless = method === 'GET' || method === 'HEAD';
  const start = performance.now();
  const response = await fetch(path, { method, cache: 'no-store', body: bodiless ? undefined : body,
    headers: meter === 'http' || bodiless ? {} : { 'content-type': 'application/json' } });
  const bytes = new Uint8Array(await response.arrayBuffer());
  const time = performance.now() - start;
  measure(meter, { sent: bodiless ? 0 : sizeOf(body), received: bytes.length, time });
  return { response, bytes, time };
}
async function request(method, path, body) {
  const result = $('http-result');
  let note = '';
  try {
    const { response, bytes, time } = await exchange(method, path, body);
    result.dataset.ok = response.ok ? 'yes' : 'no';
    $('http-status').textContent = `${response.status} ${response.statusText}`;
    $('http-bytes').textContent = bytes.length;
    $('http-ms').textContent = ms(time);
    $('http-headers').textContent = Array.from(response.headers, ([name, value]) => `${name}: ${value}`).join('\n');
    $('http-content').textContent = preview(bytes);
    if (typeof body !== 'string') note = same(bytes, body) ? `identical, ${Math.round(body.length / time / 1000)} MB/s` : 'not what was sent';
  } catch (error) {
    result.dataset.ok = 'no';
    $('http-status').textContent = error.message;
    for (const part of ['bytes', 'ms']) $(`http-${part}`).textContent = '–';
    for (const part of ['headers', 'content']) $(`http-${part}`).textContent = '';
  }
  $('http-note').textContent = note;
  result.dataset.count++;
}
function showMethod() { $('http-body').disabled = /GET|HEAD/.test($('http-method').value); }
$('http-method').onchange = showMethod;
$('http-form').onsubmit = event => {
  event.preventDefault();
  request($('http-method').value, $('http-path').value, $('http-body').value);
};
for (const button of document.querySelectorAll('[data-http]')) button.onclick = () => {
  [$('http-method').value, $('http-path').value] = button.dataset.http.split(' ');
  showMethod();
  $('http-form').requestSubmit();
};
function randomBytes(size) {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += 65536) crypto.getRandomValues(bytes.subarray(at, at + 65536));
  return bytes;
}
$('http-large').onclick = () => request('POST', '/echo', randomBytes(8 << 20));
showMethod();
