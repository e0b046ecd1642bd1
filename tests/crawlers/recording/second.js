// HTTP/2 over TLS, for tests: answers by a table, and tells on stdout what it answered. Run by the driver's own Node.js.
const http2 = require('http2');

let asked = '';
process.stdin.on('data', data => asked += data);
process.stdin.on('end', () => {
  const {key, cert, table} = JSON.parse(asked);
  const tell = told => process.stdout.write(JSON.stringify(told) + '\n');
  const server = http2.createSecureServer({key, cert});
  server.on('sessionError', () => {});
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {});
    const parts = [];
    stream.on('data', part => parts.push(part));
    stream.on('end', () => {
      const posted = Buffer.concat(parts), path = headers[':path'].split('?')[0];
      const found = (table[headers[':authority']] || {})[path];
      const answer = found || {status: 404, headers: {'content-type': 'text/plain'}, body: ''};
      const body = Buffer.from(answer.body, 'base64');
      tell({method: headers[':method'], url: `https://${headers[':authority']}${headers[':path']}`, path,
        host: headers[':authority'], status: answer.status, posted: posted.toString('base64')});
      stream.respond({...answer.headers, ':status': answer.status});
      const whole = headers[':method'] !== 'HEAD' && answer.status !== 204;
      if (whole) for (let at = 0; at < body.length; at += 3000) stream.write(body.subarray(at, at + 3000));
      stream.end();
    });
  });
  server.listen(0, '127.0.0.1', () => tell({port: server.address().port}));
});
