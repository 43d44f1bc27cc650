import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

/// Services that call each other through the client for Node, and programs that call them from outside.
@Suite(.serialized) struct `A mesh of services` {
    @Test func `answers through the example, with a deadline and a cancelled call`() async throws {
        try await TestProject.withMesh { project in
            #expect(try project.must("orders", "quote", "tea") == "tea: 3 in stock, 4.5 each\n")
            #expect(try project.must("orders", "quote", "coffee") == "coffee: 7 in stock, price on request\n")
            #expect(try project.must("orders", "cheapest", "tea") == "tea: 4 from near\n")
            // Both were told: the price that came too late, and the other supplier.
            try until("the calls are given up") { try project.must("prices", "cancelled") == "2\n" }
            let missing = try project.pm("orders", "quote", "wine")
            #expect(missing.code == 66 && missing.errors.contains("there is no wine"), "\(missing)")
        }
    }

    @Test(arguments: ["plain.mjs", "started.sh", "packaged.sh", "linked"])
    func `is called from a program without commands that has installed no client`(path: String) async throws {
        try await TestProject.with { project in
            try project.addContainer()
            let program = """
                #!/usr/bin/env node
                import { sidecar } from '@akala/pm';
                const services = sidecar();
                console.log(await (await services.svc).dispatch('echo', 'heard'));
                setInterval(() => {}, 1e6);
                """
            try project.write("plain.mjs", program, executable: path == "linked")
            try project.script("started.sh", "exec node plain.mjs")
            try project.write("package.json", #"{ "name": "app", "scripts": { "start": "node ./plain.mjs" } }"#)
            try project.script("packaged.sh", "exec npm start")
            symlink("plain.mjs", "\(project.directory)/linked")
            try project.configure([
                "svc": ["path": "./svc/commands.json", "commandable": true], "web": ["path": .string("./" + path)],
            ])
            try project.startDaemon()
            try project.must("start", "svc", "--wait")
            try project.must("start", "web", "--wait")
            try until("web was answered") { try project.must("log", "web", "-n", "all", "--raw").contains("heard\n") }
        }
    }

    @Test func `goes on when a service is started again, or gets a connection point`() async throws {
        try await TestProject.withMesh { project in
            #expect(try project.must("orders", "quote", "tea") == "tea: 3 in stock, 4.5 each\n")
            let pid = try #require(try project.status("stock")["pid"]?.int)
            kill(pid_t(pid), SIGKILL)
            try project.until("stock", "back") { $0["ready"]?.bool == true && $0["pid"]?.int != pid }
            #expect(try project.must("orders", "quote", "tea") == "tea: 3 in stock, 4.5 each\n")
            try project.must("connect", "stock", "local")
            try project.must("restart", "stock", "--wait")
            #expect(try project.must("orders", "quote", "tea") == "tea: 3 in stock, 4.5 each\n")
            #expect(try project.socketPeers("stock.sock") > 0)
        }
    }

    @Test func `is found by a program in its folder, over every way`() async throws {
        try await TestProject.withMesh { project in
            try project.write("client.mjs", Self.program)
            try project.write("client.cjs", Self.requiring)
            for file in ["mesh/packages/client.mjs", "client.cjs"] {
                if file.hasPrefix("mesh") { try project.write(file, Self.program) }
                let client = TestPaths.libexec + "/node/client"
                let outcome = try project.run(["node", "\(project.directory)/\(file)", client])
                #expect(
                    outcome.code == 0 && outcome.output == "3\n4.5\n404 there is no service stok stock\ntrue\n",
                    "\(outcome)")
            }
        }
    }

    @Test func `spreads the calls of one program over the instances of a service`() async throws {
        try await TestProject.with { project in
            let commands = #"{"name": "web", "commands": [{"name": "hold", "config": {"fs": {"path": "hold.mjs"}}}]}"#
            try project.write("web/commands.json", commands)
            try project.write(
                "web/hold.mjs", "export default () => new Promise((answer) => setTimeout(answer, 500, process.pid));")
            try project.configure(
                ["web": ["path": "./web/commands.json", "commandable": true, "stateless": true]],
                mapping: ["web": ["container": "web", "instances": 3]])
            try project.startDaemon()
            try project.must("start", "web", "--wait")
            try project.write("client.cjs", Self.spreading)
            let outcome = try project.run(["node", "client.cjs", TestPaths.libexec + "/node/client"])
            #expect(outcome.code == 0 && outcome.output == "4 4 4\n", "\(outcome)")
        }
    }

    @Test(arguments: ["app.mjs", "app.cjs", "app.mts"])
    func `has programs that serve their commands without a list of them`(path: String) async throws {
        try await TestProject.with { project in
            let isModule = !path.hasSuffix("cjs")
            try project.write(
                path,
                """
                \(isModule ? "import { Container } from '@akala/pm';" : "const { Container } = require('@akala/pm');")
                const container = new Container('my-service', null);
                container.register({ name: 'doSomething', config: { fs: { path: './do-something.js' } } });
                container.serve();
                """)
            try project.write("do-something.js", "module.exports = (one, two) => `${two} and ${one}`;")
            try project.startDaemon()
            try project.must("map", "my-service", "./\(path)", "--commandable")
            let started = try project.pm("start", "my-service", "--wait")
            if path.hasSuffix("ts"), started.errors.contains("Node runs TypeScript from version 22.18 on") { return }
            #expect(started.code == 0, "\(started)")
            #expect(try project.must("my-service", "doSomething", "1", "2") == "2 and 1\n")
        }
    }

    @Test func `tells what pm itself offers, as the client has it`() async throws {
        try await TestProject.with { project in
            try project.write(".pm.config.json", "{}")
            try project.startDaemon()
            try project.write(
                "client.cjs",
                """
                const { meta, sidecar } = require(process.argv[2]);
                (async () => {
                  const { commands } = await sidecar()['pm'];
                  const names = new Set(commands.map(({ name }) => name));
                  console.log(meta.commands.map(({ name }) => name).filter((name) => !names.has(name)).join(' '));
                })();
                """)
            let outcome = try project.run(["node", "client.cjs", TestPaths.libexec + "/node/client"])
            #expect(outcome.code == 0 && outcome.output == "\n", "\(outcome)")
        }
    }

    @Test func `tells a program that pm does not run`() async throws {
        try await TestProject.with { project in
            try project.write(".pm.config.json", "{}")
            try project.write("client.cjs", Self.requiring)
            let outcome = try project.run(["node", "client.cjs", TestPaths.libexec + "/node/client"])
            #expect(outcome.code == 1)
            #expect(
                outcome.errors.contains("pm does not run: nobody serves jsonrpc+unix://\(project.directory)/pm.sock"))
            #expect(outcome.errors.contains("hint: 'pm start pm'"))
        }
    }

    private static let spreading = """
        const { sidecar } = require(process.argv[2]);
        (async () => {
          const web = await sidecar()['web'];
          const counts = {};
          for (const pid of await Promise.all(Array.from({ length: 12 }, () => web.dispatch('hold')))) {
            counts[pid] = (counts[pid] ?? 0) + 1;
          }
          console.log(Object.values(counts).join(' '));
        })();
        """
    private static let calls = """
        const services = sidecar();
        const [stock, prices] = await Promise.all([services.stock, services['prices']]);
        console.log(await stock.dispatch('count', 'tea'));
        console.log(await prices.dispatch('of', 'tea'));
        await services.stok.catch(({ statusCode, message, hint }) =>
          console.log(statusCode, message, /stock/.exec(hint)[0]));
        const { container } = await connect('stock');
        console.log(services.stock === services.stock && (await container.dispatch('count', 'tea')) === 3);
        """
    private static let program = """
        const { sidecar, connect } = await import(`${process.argv[2]}/index.mjs`);
        \(calls)
        """
    private static let requiring = """
        const { sidecar, connect } = require(process.argv[2]);
        (async () => {
        \(calls)
        })();
        """
}

extension TestProject {
    /// Starts the services of Examples/mesh.
    static func withMesh(_ body: (TestProject) throws -> Void) async throws {
        try await with { project in
            try project.copy("\(TestPaths.examples)/mesh", to: "mesh")
            try project.startDaemon()
            try project.must("discover", "mesh")
            try project.must("start", "orders", "--wait")
            try body(project)
        }
    }

    /// How many connections a socket of the project has: 03 is connected (proc_net_unix(5)).
    func socketPeers(_ name: String) throws -> Int {
        let table = String(decoding: try Files.read("/proc/net/unix"), as: UTF8.self)
        return table.split(separator: "\n").count { line in
            let fields = line.split(separator: " ")
            return fields.last ?? "" == "\(directory)/\(name)" && fields[5] == "03"
        }
    }
}
