import PMConfig
import PMModel
import Testing

@Suite struct DockerConfigurationTests {
    private static let file = "/srv/app/docker-config.json"

    private func read(_ text: String) throws -> DockerConfiguration {
        try DockerConfiguration(path: Self.file, bytes: Array(text.utf8))
    }

    /// Every error of a text, without its file.
    private func errors(_ text: String) -> [ConfigProblem] {
        do {
            _ = try read(text)
        } catch let error as ConfigError {
            return error.problems
        } catch {
            Issue.record("\(error)")
        }
        return []
    }

    private func texts(_ problems: [ConfigProblem]) -> [String] {
        problems.map { problem in
            #expect(problem.file == Self.file && problem.severity == .error)
            return String(problem.description.dropFirst(Self.file.count + 1))
        }
    }

    // MARK: keys

    @Test func `an image is all that is needed`() throws {
        let plain = try read(#"{"image":"redis"}"#)
        #expect(plain.image == "redis" && plain.pull == .missing)
        #expect(plain.command == [] && plain.entrypoint == nil && plain.commands == nil && plain.environment == [])
        #expect(plain.workingDirectory == nil && plain.user == nil && plain.network == nil)
        #expect(plain.ports == [] && plain.volumes == [] && plain.labels == "{}" && plain.hostConfig == "{}")
        #expect(!plain.isReadOnly && !plain.hasInit && !plain.isStateless && plain.dependencies == [])
    }

    @Test func `null is the same as nothing`() throws {
        let keys = [
            "pull", "command", "entrypoint", "commands", "environment", "workingDirectory", "user", "network", "ports",
            "volumes", "labels", "readOnly", "init", "hostConfig", "dependencies", "stateless",
        ]
        let members = keys.map { #""\#($0)":null"# }.joined(separator: ",")
        #expect(try read(#"{"image":"redis",\#(members)}"#) == read(#"{"image":"redis"}"#))
    }

    @Test func `every key takes effect`() throws {
        let text = #"""
            {"image": "reg.example/web:1", "pull": "always", "command": ["serve", "-v"], "entrypoint": ["tini", "--"],
            "environment": {"A": "x=y", "N": 8, "B": true, "U": null}, "workingDirectory": "/app", "user": "app:1000",
            "network": "back", "ports": ["80"], "volumes": ["v:/v"], "labels": {"a": "b"}, "readOnly": true,
            "init": true, "hostConfig": {"CapDrop": ["ALL"], "ShmSize": 12345678901234567890},
            "dependencies": ["redis"], "stateless": true}
            """#
        let configuration = try read(text)
        #expect(configuration.image == "reg.example/web:1" && configuration.pull == .always)
        #expect(configuration.command == ["serve", "-v"] && configuration.entrypoint == ["tini", "--"])
        #expect(
            configuration.environment == [
                EnvironmentVariable(name: "A", value: "x=y"), EnvironmentVariable(name: "N", value: "8"),
                EnvironmentVariable(name: "B", value: "true"), EnvironmentVariable(name: "U", value: nil),
            ])
        #expect(configuration.workingDirectory == "/app" && configuration.user == "app:1000")
        #expect(configuration.network == "back" && configuration.labels == #"{"a":"b"}"#)
        #expect(configuration.ports.count == 1 && configuration.volumes.count == 1)
        #expect(configuration.isReadOnly && configuration.hasInit && configuration.isStateless)
        #expect(configuration.hostConfig == #"{"CapDrop":["ALL"],"ShmSize":12345678901234567890}"#)
        #expect(configuration.dependencies == ["redis"])
        #expect(try read(#"{"image":"node","commands":"/app/commands.json"}"#).commands == "/app/commands.json")
    }

    @Test(arguments: DockerConfiguration.Pull.allCases)
    func `an image is fetched as the file says`(pull: DockerConfiguration.Pull) throws {
        #expect(try read(#"{"image":"redis","pull":"\#(pull.rawValue)"}"#).pull == pull)
    }

    @Test func `paths of volumes start from the file's folder, names are names`() throws {
        let text = #"""
            {"image":"x","volumes":["./data:/data","../up:/up:ro",".hid:/h:rw","/srv/x:/x:ro","cache:/c",".:/all"]}
            """#
        let expected: [DockerConfiguration.Volume] = [
            .init(source: "/srv/app/data", target: "/data", isReadOnly: false),
            .init(source: "/srv/up", target: "/up", isReadOnly: true),
            .init(source: "/srv/app/.hid", target: "/h", isReadOnly: false),
            .init(source: "/srv/x", target: "/x", isReadOnly: true),
            .init(source: "cache", target: "/c", isReadOnly: false),
            .init(source: "/srv/app", target: "/all", isReadOnly: false),
        ]
        #expect(try read(text).volumes == expected)
    }

    @Test(arguments: [
        (#""8080:80""#, "127.0.0.1 8080 80 tcp"), (#""80""#, "127.0.0.1 0 80 tcp"), ("80", "127.0.0.1 0 80 tcp"),
        (#""80/udp""#, "127.0.0.1 0 80 udp"), (#""53:53/udp""#, "127.0.0.1 53 53 udp"),
        (#""53:53/tcp""#, "127.0.0.1 53 53 tcp"), (#""0:80""#, "127.0.0.1 0 80 tcp"),
        (#""0.0.0.0:8080:80""#, "0.0.0.0 8080 80 tcp"), (#""[::1]:8080:80/udp""#, "::1 8080 80 udp"),
        (#""[::]:0:65535""#, ":: 0 65535 tcp"),
    ])
    func `a port is one inside, and where it is reached`(text: String, expected: String) throws {
        let ports = try read(#"{"image":"x","ports":[\#(text)]}"#).ports.map { port in
            "\(port.address) \(port.outside) \(port.inside) \(port.transport.rawValue)"
        }
        #expect(ports == [expected])
    }

    // MARK: errors

    @Test(arguments: [
        #""""#, #""x""#, #""0""#, "0", "65536", "-1", "1.5", "true", "null", "{}", #""80/""#, #""80/sctp""#, #"":80""#,
        #""80:""#, #""80:0""#, #""70000:80""#, #""localhost:80:80""#, #""::1:80:80""#, #""[::1]:80""#, #""[::1]80:80""#,
        #""[::1:80:80""#, #""[80]:90""#, #""[127.0.0.1]:80:80""#, #""127.0.0.1::80""#, #""1:2:3:4""#, #""+80""#,
        #""80 ""#, #""1-9:1-9""#,
    ])
    func `what is no port is refused at its place`(port: String) throws {
        let found = errors("{\"image\":\"x\",\n \"ports\":[\"80\",\(port)]}")
        #expect(found.count == 1)
        let text = try #require(texts(found).first)
        #expect(text.hasPrefix(#"2:16: ports[1]: expected "8080:80", "127.0.0.1:8080:80", "[::1]:8080:80" or "80""#))
        #expect(text.hasSuffix("found \(port == "{}" ? "an empty object" : port)"))
    }

    @Test(arguments: [
        "data", "data:", ":/data", "data:x", "/a:/b:rx", "/a:/b:ro:ro", "a:b:/c", "./a:./b", "/a:ro", "::",
    ])
    func `what is no volume is refused at its place`(volume: String) {
        let found = errors("{\"image\":\"x\",\n \"volumes\":[\"v:/v\",\"\(volume)\"]}")
        #expect(
            texts(found) == [
                #"2:20: volumes[1]: expected "./data:/data", "/srv/data:/data:ro" or "volume:/data", found "\#(volume)""#
            ])
    }

    @Test(arguments: [
        ("", "1:1: the file is empty"), ("[]", "1:1: expected an object, found an empty array"),
        ("5", "1:1: expected an object, found 5"), ("{\n \"image\":}", "2:10: expected a value"),
        ("{\"image\":\"x\"", "1:13: expected ',' or '}', but the text ends here"),
        ("FROM node", "1:1: expected a value"),
        ("{}", #"1:1: "image" is missing"#), ("\n {\"pull\":\"never\"}", #"2:2: "image" is missing"#),
        (#"{"image":null}"#, #"1:1: "image" is missing"#), (#"{"image":""}"#, "1:10: image: must not be empty"),
        (#"{"image":5}"#, "1:10: image: expected a string, found 5"),
        (
            #"{"image":"x","pull":"daily"}"#,
            #"1:21: pull: expected "missing", "always" or "never", found "daily""#
        ),
        (#"{"image":"x","command":"serve"}"#, #"1:24: command: expected an array of strings, found "serve""#),
        (#"{"image":"x","entrypoint":[1]}"#, "1:28: entrypoint[0]: expected a string, found 1"),
        (#"{"image":"x","commands":"app.json"}"#, "1:25: commands: must be an absolute path in the container"),
        (
            #"{"image":"x","workingDirectory":"app"}"#,
            "1:33: workingDirectory: must be an absolute path in the container"
        ),
        (
            #"{"image":"x","commands":"/c","command":["x"]}"#,
            #"1:1: "command" and "entrypoint" cannot be used with "commands", which pm's host for Node serves"#
        ),
        (
            #"{"image":"x","commands":"/c","entrypoint":[]}"#,
            #"1:1: "command" and "entrypoint" cannot be used with "commands", which pm's host for Node serves"#
        ),
        (
            #"{"image":"x","environment":{"A=B":"x"}}"#,
            "1:35: environment.A=B: a variable's name must not be empty or contain '=' or NUL"
        ),
        (#"{"image":"x","user":""}"#, "1:21: user: must not be empty"),
        (#"{"image":"x","network":5}"#, "1:24: network: expected a string, found 5"),
        (#"{"image":"x","ports":"80"}"#, #"1:22: ports: expected an array of ports, found "80""#),
        (#"{"image":"x","volumes":{}}"#, "1:24: volumes: expected an array of volumes, found an empty object"),
        (#"{"image":"x","labels":5}"#, "1:23: labels: expected an object, found 5"),
        (#"{"image":"x","labels":["a"]}"#, "1:23: labels: expected an object, found an array"),
        (#"{"image":"x","labels":{"a":1}}"#, "1:28: labels.a: expected a string, found 1"),
        (#"{"image":"x","hostConfig":"x"}"#, #"1:27: hostConfig: expected an object, found "x""#),
        (#"{"image":"x","readOnly":1}"#, "1:25: readOnly: expected true or false, found 1"),
        (#"{"image":"x","init":"yes"}"#, #"1:21: init: expected true or false, found "yes""#),
        (#"{"image":"x","dependencies":"a"}"#, #"1:29: dependencies: expected an array of strings, found "a""#),
        (#"{"image":"x","stateless":[]}"#, "1:26: stateless: expected true or false, found an empty array"),
        (#"{"image":"x","command":["a\u0000b"]}"#, "1:25: command[0]: contains a NUL character"),
    ])
    func `what is wrong is told with its place`(text: String, expected: String) {
        #expect(texts(errors(text)) == [expected])
    }

    @Test func `every error is told in the order of the file`() {
        let text = "{\"ports\":[\"x\"],\n\"pull\":1,\n\"commands\":\"c\",\n\"volumes\":[\"a\",\"b\"]}"
        #expect(
            texts(errors(text)).map { $0.prefix(16) } == [
                "1:11: ports[0]: ", "2:8: pull: expec", "3:12: commands: ", "4:12: volumes[0]", "4:16: volumes[1]",
                #"1:1: "image" is "#,
            ])
    }

    @Test func `an unknown key is an error with the nearest one, or all of them`() throws {
        let near = try #require(errors(#"{"image":"x","volume":[]}"#).first)
        #expect(texts([near]) == ["1:23: volume: unknown key"])
        #expect(near.hint == #"did you mean "volumes"?"#)
        let far = try #require(errors(#"{"image":"x","CapAdd":[]}"#).first)
        #expect(texts([far]) == ["1:23: CapAdd: unknown key"])
        #expect(far.hint?.hasPrefix(#"the keys are "image", "pull", "command""#) == true)
        #expect(far.hint?.hasSuffix(#"other settings of the engine go into "hostConfig""#) == true)
    }

    @Test func `a key that stands twice is no error, the last one counts`() throws {
        #expect(try read(#"{"image":"x","pull":"never","image":"y"}"#).image == "y")
    }

    // MARK: files

    @Test func `a file is read, and its folder is where its paths start`() throws {
        let folder = try ConfigFolder()
        try folder.put(#"{"image":"x","volumes":["./d:/d"]}"#, at: "docker-config.json")
        let configuration = try DockerConfiguration(path: folder.path + "/docker-config.json")
        #expect(configuration.volumes.map(\.source) == [folder.path + "/d"])
    }

    @Test func `a file that is not there is missing, with its name`() throws {
        let folder = try ConfigFolder()
        let path = folder.path + "/docker-config.json"
        let error = #expect(throws: ConfigError.self) { try DockerConfiguration(path: path) }
        #expect(error?.kind == .missing)
        #expect(error?.description.hasPrefix("cannot read the Docker configuration: ") == true)
        #expect(error?.description.contains("\(path): No such file") == true)
    }
}
