// One WebSocket that opens by itself when something is to be sent.
function webSocket(name, path, hear, closed = () => {}) {
  let socket = null, opening = null;
  const toggle = $(`${name}-toggle`);
  function show(state, text) {
    setState(`${name}-state`, state, text);
    toggle.textContent = state === 'closed' ? 'Connect' : 'Disconnect';
  }
  const open = () => opening ??= new Promise((resolve, reject) => {
    show('connecting');
    socket = new WebSocket(location.origin.replace('http', 'ws') + path);
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => { show('open'); resolve(); };
    socket.onmessage = event => hear(event.data, performance.now());
    socket.onclose = event => {
      opening = null;
      show('closed', `closed ${event.code} ${event.reason}`.trim());
      closed(event);
      reject(new Error(`closed ${event.code}`));
    };
  });
  const connect = () => open().then(() => true, () => false);
  toggle.onclick = () => opening ? socket.close(1000) : connect();
  async function send(...messages) {
    if (!await connect()) return false;
    for (const message of messages) socket.send(message);
    return true;
  }
  return { connect, send, close: () => socket?.close(1000) };
}
