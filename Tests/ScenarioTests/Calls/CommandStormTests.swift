import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

/// Many clients start, stop and restart the same services and different ones at once.
@Suite(.serialized) struct `A storm of commands` {
    private static let clients = TestSize.of(200, reduced: 30)
    private static let seconds = TestSize.of(60, reduced: 3)
    private static let shared = 8

    /// Says so in a file when another one of its name still runs.
    private static let service = """
        exec 9>"lock-$1"
        flock -n 9 || echo "$1" >>violations
        exec sleep 100000
        """

    /// Each client orders at random, services that all order and one of its own, without waiting for answers. What it
    /// last sends for each name is the same wish as everybody's, so the last one that the daemon takes is known. After
    /// each order for its own service it asks what is wanted: that must be what it has just ordered.
    private static let storm = """
        const net = require('net');
        const [path, clients, seconds, shared] = [process.argv[2], ...process.argv.slice(3).map(Number)];
        const report = { sent: 0, done: 0, refused: {}, problems: [], expected: {} };
        const complain = (text) => { if (report.problems.length < 10) report.problems.push(text); };
        const pick = (list) => list[Math.floor(Math.random() * list.length)];
        const orders = ['start', 'stop', 'restart'];
        const wishOf = (order) => (order === 'stop' ? 'down' : 'up');
        const finalOf = (number) => (number % 2 ? 'stop' : 'restart');
        const refusals = [/ is already started$/, / was stopped before it was ready$/];
        const allowed = (error) => error.statusCode === 409 && refusals.find((text) => text.test(error.message));

        const check = ({ method, name, wanted }, { result, error }) => {
          if (error) {
            const kind = allowed(error);
            if (!kind || wanted) return complain(`${method} ${name}: ${JSON.stringify(error)}`);
            report.refused[kind] = (report.refused[kind] ?? 0) + 1;
          } else if (wanted) {
            if (result[0].wanted !== wanted) complain(`${name} wanted ${result[0].wanted} after it was to be ${wanted}`);
          } else if (method === 'stop' ? !Array.isArray(result.stopped) : result.name !== name) {
            complain(`${method} ${name}: ${JSON.stringify(result)}`);
          } else report.done++;
        };

        const client = (number) => new Promise((finished) => {
          const waiting = new Map();
          const own = `own-${number}`;
          const ends = Date.now() + seconds * 1000;
          let [last, rest, isOver] = [0, '', false];
          const socket = net.connect(path).setEncoding('utf8');
          const send = (method, name, wanted) => {
            waiting.set(++last, { method, name, wanted });
            report.sent++;
            socket.write(JSON.stringify({ jsonrpc: '2.0', id: last, method, params: [name] }) + '\\n');
          };
          const order = (method, name) => {
            send(method, name);
            if (name !== own) return;
            report.expected[own] = wishOf(method);
            send('status', own, wishOf(method));
          };
          const goOn = () => {
            if (Date.now() < ends) {
              while (waiting.size < 16) order(pick(orders), pick([own, `shared-${1 + Math.floor(Math.random() * shared)}`]));
            } else if (!isOver) {
              isOver = true;
              for (let i = 1; i <= shared; i++) order(finalOf(i), `shared-${i}`);
            } else if (waiting.size === 0) socket.end();
          };
          socket.on('data', (text) => {
            const lines = (rest + text).split('\\n');
            rest = lines.pop();
            for (const line of lines) {
              const reply = JSON.parse(line);
              const request = waiting.get(reply.id);
              if (!waiting.delete(reply.id)) return complain(`nobody asked: ${line}`);
              check(request, reply);
            }
            goOn();
          });
          socket.on('error', (error) => complain(String(error)));
          socket.on('close', () => {
            if (waiting.size) complain(`client ${number}: ${waiting.size} requests are not answered`);
            finished();
          });
          socket.on('connect', goOn);
        });

        for (let i = 1; i <= shared; i++) report.expected[`shared-${i}`] = wishOf(finalOf(i));
        Promise.all(Array.from({ length: clients }, (_, i) => client(i + 1))).then(() => console.log(JSON.stringify(report)));
        """

    @Test func `keeps the order for each name, answers each request and ends with the last wish`() async throws {
        try await TestProject.with { project in
            try project.script("service.sh", Self.service)
            try project.write("storm.js", Self.storm)
            let names = (1...Self.clients).map { "own-\($0)" } + (1...Self.shared).map { "shared-\($0)" }
            let mappings = names.map { ($0, ["container": "service", "cli": [.string($0)]] as JSONValue) }
            try project.configure(["service": ["path": "./service.sh"]], mapping: .object(JSONObject(mappings)))
            try project.startDaemon()
            let daemon = try project.daemonID()
            // What is opened once and for all, with the first start and the first death, is no leak.
            try project.must("start", names[0], "--wait")
            try project.must("stop", names[0])
            let before = try Limits.descriptors(of: daemon).count
            let outcome = try project.start(
                ["node", "storm.js", project.socket] + [Self.clients, Self.seconds, Self.shared].map(String.init)
            ).wait(seconds: Int32(Self.seconds) + 240)
            let report = try JSONValue(parsing: outcome.output)
            #expect(report["problems"] == [], "\(report["problems"]?.text ?? "") \(outcome.errors)")
            #expect(try #require(report["done"]?.int) > Self.clients * Self.seconds)
            let expected = try #require(report["expected"]?.object)
            try Self.checkEnd(expected, try project.client())
            #expect(try Files.status("\(project.directory)/violations") == nil, "two of one name ran at once")
            #expect(try project.daemonID() == daemon)
            let up = expected.count { $0.value == "up" }
            // A service is up once it is executed; its program is executed by it.
            try until("each has its program") { project.commands().count { $0.hasPrefix("sleep") } == up }
            for name in names { try project.must("stop", name) }
            try until("the connections are closed") { try Limits.descriptors(of: daemon).count <= before + 1 }
            print("a storm of commands: \(report.text.prefix(300))")
        }
    }

    /// Every service is what was wished for last, at once: the answers said that it is so.
    private static func checkEnd(_ expected: JSONObject, _ client: LineClient) throws {
        guard let rows = try client.call("status", [.null])?["result"]?.array else { throw TestFailure("no status") }
        let byName = Dictionary(rows.map { ($0["name"]?.string ?? "", $0) }) { first, _ in first }
        for (name, wish) in expected {
            let row = try #require(byName[name])
            #expect(row["wanted"] == wish && row["state"] == wish, "\(row.text)")
            #expect((row["pid"] != nil) == (wish == "up"), "\(row.text)")
        }
    }
}
