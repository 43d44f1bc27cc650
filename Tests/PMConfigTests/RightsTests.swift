import JSON
import PMModel
import PMSystem
import PMTestSupport
import Testing

@testable import PMConfig

/// `limits`, `user`, `group`, `umask`, `sandbox` and `listen` as they are read, refused and written.
@Suite struct RightsTests {
    private func mapping(_ text: String) throws -> Mapping {
        let file = #"{"containers":{"web":{"path":"x"}},"mapping":{"web":\#(text)}}"#
        return try #require(try ConfigFile(path: "/srv/x.json", bytes: Array(file.utf8)).configuration.mapping("web"))
    }

    private func fixture() throws -> Configuration {
        let bytes = try Files.read(TestPaths.fixture("configs/limits.json"))
        return try ConfigFile(path: "/srv/app/.pm.config.json", bytes: bytes).configuration
    }

    @Test func `every limit takes effect`() throws {
        let limits = try #require(try fixture().mapping("web")).limits
        #expect(limits.memory == 268_435_456)
        #expect(limits.memoryHigh == 209_715_200)
        #expect(limits.cpu == 150_000)
        #expect(limits.pids == 64)
        #expect(limits.openFiles == 4096)
        #expect(limits.nice == 5)
        #expect(limits.oomScoreAdjust == 100)
        var device = IOLimits.Device(path: "/var/lib/web")
        (device.read, device.write, device.readOperations, device.writeOperations) = (10_000_000, 5_242_880, 1000, 500)
        #expect(limits.io.weight == 50)
        #expect(limits.io.devices == [device])
    }

    @Test func `short forms mean the same`() throws {
        let half = try #require(try fixture().mapping("half"))
        #expect(half.limits.memory == 67_108_864)
        #expect(half.limits.cpu == 50_000)
        #expect(half.limits.io.weight == 200)
        #expect(half.sandbox == Sandbox(.basic))
        #expect(half.listen == [ListenPoint(.internet(host: "0.0.0.0", port: 80))])
        let fine = try #require(try fixture().mapping("fine"))
        #expect(fine.limits.cpu == 12_500)
        #expect((fine.user, fine.group, fine.umask) == ("1000", "0", 7))
        #expect(fine.sandbox == Sandbox())
    }

    @Test func `user, group, umask, sandbox and sockets take effect`() throws {
        let unit = try #require(try fixture().unit("web"))
        #expect((unit.mapping.user, unit.mapping.group, unit.mapping.umask) == ("www-data", "adm", 0o27))
        #expect(unit.mapping.sandbox.preset == .strict)
        #expect(try unit.writablePaths(in: "/srv/app") == ["/srv/app/data", "/var/lib/web"])
        let points = try unit.sockets(in: "/srv/app")
        #expect(
            points.map(\.text) == [
                "127.0.0.1:8080", "[::1]:8443", "/srv/app/web.sock", "127.0.0.1:5353", "/run/web/admin.sock",
            ])
        #expect(points[3].kind == .datagram && points[3].name == "dns")
        #expect(points[4].backlog == 16 && points[4].mode == 0o600)
        #expect(points[0].kind == .stream && points[0].backlog == 511 && points[0].mode == 0o660)
    }

    @Test func `the list of system calls is read, and written where it is not the usual one`() throws {
        let less = try mapping(#"{"sandbox":{"preset":"strict","systemCalls":"deny-list"}}"#)
        #expect(less.sandbox.systemCalls == .denyList && less.sandbox.preset == .strict)
        #expect(less.json["sandbox"] == ["preset": "strict", "systemCalls": "deny-list"])
        let usual = try mapping(#"{"sandbox":{"preset":"strict","systemCalls":"allow-list"}}"#)
        #expect(usual.json["sandbox"] == "strict")
    }

    @Test func `what is written reads back as the same`() throws {
        for name in ["web", "half", "fine"] {
            let mapping = try #require(try fixture().mapping(name))
            let text = JSONValue.object(mapping.json).text
            var again = try self.mapping(text)
            again.container = mapping.container
            #expect(again == mapping, "\(text)")
        }
    }

    @Test(arguments: [
        (#"{"limits":{"memory":-5}}"#, "limits.memory", "more than 0, found -5"),
        (#"{"limits":{"memory":"0"}}"#, "limits.memory", #"more than 0, found "0""#),
        (#"{"limits":{"memory":"lots"}}"#, "limits.memory", #"expected a size such as"#),
        (#"{"limits":{"memory":256}}"#, "limits.memory", "256 is less than 1 MiB"),
        (#"{"limits":{"memoryHigh":true}}"#, "limits.memoryHigh", "found true"),
        (#"{"limits":{"memory":"1G","memoryHigh":"2G"}}"#, "limits", "would never have an effect"),
        (#"{"limits":{"cpu":0}}"#, "limits.cpu", "found 0"),
        (#"{"limits":{"cpu":"0.5%"}}"#, "limits.cpu", "from 1% to"),
        (#"{"limits":{"cpu":"-50%"}}"#, "limits.cpu", #"found "-50%""#),
        (#"{"limits":{"cpu":"nan%"}}"#, "limits.cpu", "a share of one processor"),
        (#"{"limits":{"cpu":"50"}}"#, "limits.cpu", "a share of one processor"),
        (#"{"limits":{"pids":0}}"#, "limits.pids", "a whole number from 1 to 4194304"),
        (#"{"limits":{"pids":1.5}}"#, "limits.pids", "found 1.5"),
        (#"{"limits":{"nofile":3}}"#, "limits.nofile", "a whole number from 24"),
        (#"{"limits":{"nice":20}}"#, "limits.nice", "from -20 to 19"),
        (#"{"limits":{"oomScoreAdjust":1001}}"#, "limits.oomScoreAdjust", "from -1000 to 1000"),
        (#"{"limits":{"io":0}}"#, "limits.io", "from 1 to 10000"),
        (#"{"limits":{"io":{"sda":{"read":1}}}}"#, "limits.io.sda", "absolute path"),
        (#"{"limits":{"io":{"/":{"read":0}}}}"#, "limits.io./.read", "more than 0"),
        (#"{"limits":5}"#, "limits", "an object of limits"),
        (#"{"user":""}"#, "user", "a name or a number of an account"),
        (#"{"user":"a b"}"#, "user", "a name or a number of an account"),
        (#"{"group":-1}"#, "group", "a name or a number of an account"),
        (#"{"user":1e308}"#, "user", "a name or a number of an account"),
        (#"{"user":4294967295}"#, "user", "means -1, which is no account"),
        (#"{"user":"4294967295"}"#, "user", "means -1, which is no account"),
        (#"{"user":65535}"#, "user", "means -1"), (#"{"group":"65535"}"#, "group", "means -1"),
        (#"{"user":"-1"}"#, "user", "begins with a sign"), (#"{"group":"+0"}"#, "group", "begins with a sign"),
        (#"{"user":"00"}"#, "user", "has a zero in front"), (#"{"user":" 0"}"#, "user", "a name or a number"),
        (#"{"user":4294967296}"#, "user", "is larger than any account's number"),
        (#"{"user":"0x0"}"#, "user", "begins like a number, but is not a number"),
        (#"{"umask":27}"#, "umask", "octal"), (#"{"umask":"888"}"#, "umask", "octal"),
        (#"{"umask":"1000"}"#, "umask", "octal"),
        (#"{"sandbox":"tight"}"#, "sandbox", #"expected "none", "basic" or "strict", found "tight""#),
        (#"{"sandbox":{"writable":["/x"]}}"#, "sandbox", "only with the preset"),
        (#"{"routes":"/a"}"#, "routes", "an array of paths"), (#"{"routes":["a"]}"#, "routes[0]", "a path such as"),
        (#"{"routes":["/a*"]}"#, "routes[0]", "a path such as"),
        (
            #"{"sandbox":{"systemCalls":"all"}}"#, "sandbox.systemCalls",
            #"expected "allow-list" or "deny-list", found "all""#
        ),
        (
            #"{"sandbox":{"systemCalls":"deny-list","preset":"basic"}}"#, "sandbox",
            #""systemCalls" has an effect only with the preset "strict""#
        ),
        (#"{"listen":0}"#, "listen", "a port of 127.0.0.1"), (#"{"listen":"web"}"#, "listen", "a port of 127.0.0.1"),
        (#"{"listen":"example.org:80"}"#, "listen", "a port of 127.0.0.1"),
        (#"{"listen":["::1:80"]}"#, "listen[0]", "a port of 127.0.0.1"),
        (#"{"listen":[{"type":"stream"}]}"#, "listen[0]", "needs an \"address\""),
        (#"{"listen":[{"address":80,"type":"raw"}]}"#, "listen[0].type", #""stream" or "datagram""#),
        (#"{"listen":[{"address":80,"name":"a:b"}]}"#, "listen[0].name", "without blanks"),
        (#"{"listen":[{"address":80,"backlog":0}]}"#, "listen[0].backlog", "from 1 to 65535"),
        (#"{"listen":[80,"127.0.0.1:80"]}"#, "listen", "is listed twice"),
        (#"{"listen":[80,81],"ready":{"fd":4}}"#, "", "one of the sockets"),
    ])
    func `nonsense is refused with its key and what was expected`(text: String, key: String, message: String) {
        let error = #expect(throws: ConfigError.self) { try mapping(text) }
        let problem = error?.problems.first
        #expect(problem?.key == (key.isEmpty ? "mapping.web" : "mapping.web.\(key)"))
        #expect(problem?.message.contains(message) == true, "\(problem?.message ?? "")")
        #expect(problem?.line != nil)
    }

    @Test func `a misspelt key is a warning`() throws {
        for (text, hint) in [
            (#"{"limits":{"memmory":"1G"}}"#, "memory"), (#"{"sandbx":"basic"}"#, "sandbox"),
            (#"{"listen":[{"address":80,"nmae":"x"}]}"#, "name"),
        ] {
            let file = #"{"containers":{"web":{"path":"x"}},"mapping":{"web":\#(text)}}"#
            let warnings = try ConfigFile(path: "/x", bytes: Array(file.utf8)).warnings
            #expect(warnings.first?.hint?.contains(hint) == true)
        }
    }

    @Test func `sizes are written as they are read`() {
        for size: Int64 in [1, 1000, 1024, 1 << 20, 3 << 20, (1 << 30) + 1, 1 << 40] {
            #expect(SizeText.parse(SizeText.text(size)) == size, "\(SizeText.text(size))")
        }
        #expect(SizeText.text(256 << 20) == "256MiB")
    }
}
