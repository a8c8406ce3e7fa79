// What was agreed on for the connection that this page uses.
async function showConnection() {
  try {
    const { response, bytes } = await exchange('GET', '/connection');
    if (!response.ok) throw new Error(`${response.status}`);
    const { http, tls } = JSON.parse(new TextDecoder().decode(bytes));
    const facts = { HTTP: http, TLS: tls ? tls.version : 'none' };
    if (tls) Object.assign(facts, { Cipher: tls.cipherSuite, ALPN: tls.protocol ?? 'none', Name: tls.serverName ?? 'none', Resumed: tls.resumed ? 'yes' : 'no' });
    $('connection-facts').replaceChildren(...Object.entries(facts).flatMap(([name, value]) => [element('dt', name), element('dd', value)]));
    Object.assign($('connection-facts').dataset, { http, tls: tls?.version ?? '' });
    $('connection-note').textContent = tls ? '' : 'Started with --tls, the showcase serves this page by https as well: there the browser chooses HTTP/2.';
  } catch (error) { $('connection-note').textContent = error.message; }
  $('connection-facts').dataset.count++;
}
$('connection-ask').onclick = showConnection;
