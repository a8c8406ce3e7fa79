// A file: the entity tag of the first answer is what a later request is conditional on.
let fileTag = '';
async function showFile(kind) {
  const headers = { range: { Range: 'bytes=3-7' }, changed: fileTag ? { 'If-None-Match': fileTag } : {} }[kind] ?? {};
  log('files-log', 'up', kind, Object.entries(headers).map(([name, value]) => `${name}: ${value}`).join() || 'GET');
  try {
    const start = performance.now();
    const response = await fetch('/sample/alphabet.txt', { cache: 'no-store', headers });
    const text = await response.text();
    fileTag = response.headers.get('etag') ?? fileTag;
    const line = log('files-log', 'down', `${response.status}`, response.headers.get('content-range') ?? '', `${ms(performance.now() - start)} ms`);
    line.children[2].textContent = `${line.children[2].textContent} ${text.trim() || response.statusText}`.trim();
    line.dataset.file = kind;
  } catch (error) { log('files-log', 'fault', kind, error.message); }
}
for (const button of document.querySelectorAll('[data-file]')) button.onclick = () => showFile(button.dataset.file);
