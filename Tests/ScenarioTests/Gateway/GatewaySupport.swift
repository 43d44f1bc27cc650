import Glibc
import JSON
import PMSystem
import PMTestSupport

/// A gateway that a test started by hand, in front of its project's daemon.
final class TestGateway {
    private let program: Program
    let project: TestProject
    /// The ports, in the order of the points.
    let ports: [UInt16]

    /// Starts it, and waits until it listens at all points; in those `PORT` stands for a port of its own for each.
    static func with(
        _ project: TestProject, _ points: [String], _ options: [String] = [], _ body: (TestGateway) throws -> Void
    ) throws {
        let gateway = try TestGateway(project, points, options)
        defer { gateway.program.signal(SIGKILL) }
        do {
            try body(gateway)
        } catch {
            gateway.program.signal(SIGTERM)
            throw TestFailure("\(error)\n--- gateway\n\(gateway.program.wait())")
        }
        gateway.program.signal(SIGTERM)
        let outcome = gateway.program.wait()
        guard outcome.code == 0 else { throw TestFailure("the gateway does not end well: \(outcome)") }
    }

    private init(_ project: TestProject, _ points: [String], _ options: [String]) throws {
        self.project = project
        var ports: [UInt16] = []
        var words = [TestPaths.pmGateway, "--daemon", project.socket]
        for point in points {
            // Points that share a place say so by the same number of the port: `PORT1` is the first one's.
            if point.contains("PORT1") {
                ports.append(ports[0])
            } else {
                ports.append(try FreePort.find())
            }
            words += ["--listen", point.replacing("PORT1", with: "PORT").replacing("PORT", with: "\(ports.last ?? 0)")]
        }
        self.ports = ports
        program = try project.start(["sh", "-c", "exec \"$@\" 2>&1", "sh"] + words + options)
        let places = Set(ports).count
        for _ in 0..<places {
            guard program.waitForOutput("listening at ") else {
                throw TestFailure("the gateway does not listen: \(program.wait())")
            }
        }
    }

    var port: UInt16 { ports[0] }
    var processID: pid_t { program.processID }

    /// Waits until the gateway says something.
    func says(_ text: String) -> Bool { program.waitForOutput(text) }

    /// A connection to the first point.
    func client(seconds: Int32 = 30) throws -> WireClient { try WireClient(port: port, seconds: seconds) }

    /// Sends a request over a connection of its own, and returns all that comes until the gateway closes.
    func exchange(_ request: String) throws -> String? {
        let client = try client()
        client.send(request)
        return client.rest()
    }

    /// Sends a well-formed request, and returns status and body.
    func request(
        _ method: String, _ path: String, _ headers: [String] = [], body: String? = nil
    ) throws -> (status: Int, body: String) {
        var lines = ["\(method) \(path) HTTP/1.1", "Connection: close"] + headers
        if !headers.contains(where: { $0.lowercased().hasPrefix("host:") }) { lines.append("Host: localhost") }
        if let body { lines.append("Content-Length: \(body.utf8.count)") }
        let text = try exchange(lines.joined(separator: "\r\n") + "\r\n\r\n" + (body ?? ""))
        guard let text, let end = text.firstRange(of: "\r\n\r\n"), let status = Int(text.dropFirst(9).prefix(3)) else {
            throw TestFailure("no answer to \(method) \(path): \(text ?? "nothing")")
        }
        return (status, String(text[end.upperBound...]))
    }

    /// Posts a message, and returns the answer as JSON.
    func rpc(_ body: String, _ headers: [String] = []) throws -> (status: Int, json: JSONValue) {
        let answer = try request("POST", "/rpc", ["Content-Type: application/json"] + headers, body: body)
        guard let json = try? JSONValue(parsing: answer.body) else { return (answer.status, .null) }  // an empty body
        return (answer.status, json)
    }
}

/// Keys and certificates, made again for a test.
struct TestCertificates {
    let directory: String
    let project: TestProject

    /// Makes a folder `tls` with authorities `ca` and `other`, a server's and two clients' certificates.
    init(_ project: TestProject) throws {
        directory = project.directory + "/tls"
        self.project = project
        try Files.makeDirectories(directory, mode: 0o755)
        try authority("ca", project)
        try authority("other", project)
        try issue("server", by: "ca", project)
        try issue("client", by: "ca", project)
        try issue("stranger", by: "other", project)
    }

    func file(_ name: String) -> String { "\(directory)/\(name)" }

    /// The options of a point that is within TLS.
    var options: String { "key=\(file("server.key")),cert=\(file("server.pem"))" }

    private func authority(_ name: String, _ project: TestProject) throws {
        try openssl(
            project,
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=\(name) "
                + "-keyout \(name).key -out \(name).pem")
    }

    /// Makes a certificate for localhost, good for servers and clients.
    func issue(_ name: String, by authority: String, _ project: TestProject) throws {
        try project.write("tls/extensions", "subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        try openssl(
            project,
            "req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=\(name) "
                + "-keyout \(name).key -out \(name).csr")
        try openssl(
            project,
            "x509 -req -days 2 -in \(name).csr -CA \(authority).pem -CAkey \(authority).key -CAcreateserial "
                + "-extfile extensions -out \(name).pem")
        // The gateway of root's daemon is another user.
        chmod(file("\(name).key"), 0o600)
        if geteuid() == 0 { chown(file("\(name).key"), TestProject.gatewayUser, gid_t.max) }
    }

    private func openssl(_ project: TestProject, _ words: String) throws {
        let outcome = try project.run(["openssl"] + words.split(separator: " ").map(String.init), in: "tls")
        guard outcome.code == 0 else { throw TestFailure("openssl \(words): \(outcome)") }
    }
}

/// A client within TLS: one of Node, which uses another OpenSSL than the gateway.
enum TLSClient {
    private static let script = """
        const [kind, where, ca, cert, key, text] = process.argv.slice(1);
        const fs = require('fs');
        const read = (file) => (file === '-' ? undefined : fs.readFileSync(file));
        const options = { ca: read(ca), cert: read(cert), key: read(key), servername: 'localhost',
          ...(where.startsWith('/') ? { path: where } : { host: '127.0.0.1', port: Number(where) }),
          ...(process.env.MAX ? { minVersion: 'TLSv1', maxVersion: process.env.MAX, ciphers: 'ALL:@SECLEVEL=0' } : {}) };
        const say = (word) => { console.log(word); process.exit(0); };
        const fail = (error) => say('failed ' + (error?.code ?? error));
        if (kind === 'https') {
          const request = require('https').request({ ...options, path: text, headers: { Host: 'localhost', ...JSON.parse(process.env.HEADERS ?? '{}') } }, (response) => {
            let body = '';
            response.on('data', (part) => (body += part));
            response.on('end', () => say(response.statusCode + ' ' + body));
          });
          request.on('error', fail);
          request.end();
        } else {
          const socket = require('tls').connect(options, () => socket.write(text + '\\n'));
          socket.on('error', fail);
          socket.on('close', () => fail('closed'));
          let all = '';
          socket.on('data', (part) => {
            all += part;
            if (all.includes('\\n')) say(socket.getProtocol() + ' ' + socket.getPeerCertificate().serialNumber + ' ' + all.trim());
          });
        }
        """

    /// How a client proves who it is.
    struct Proof {
        var name: String?
        var variables: [String: String] = [:]
    }

    /// Sends a line, or for `https` asks for a path; returns what came back, or `failed` and why.
    static func ask(
        _ certificates: TestCertificates, at place: (kind: String, where: String),
        _ text: String, _ proof: Proof = Proof()
    ) throws -> String {
        let own = proof.name.map { [certificates.file("\($0).pem"), certificates.file("\($0).key")] } ?? ["-", "-"]
        let outcome = try certificates.project.run(
            ["node", "-e", script, place.kind, place.where, certificates.file("ca.pem")] + own + [text],
            adding: proof.variables)
        guard outcome.code == 0 else { throw TestFailure("the client fails: \(outcome)") }
        return String(outcome.output.dropLast())
    }
}
