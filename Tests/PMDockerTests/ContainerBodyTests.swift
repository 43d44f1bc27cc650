import JSON
import PMConfig
import PMModel
import Testing

@testable import PMDocker

/// A container's body as the engine gets it; `text` is a `docker-config.json` besides its image.
func body(
    _ text: String = "{}", hasChannel: Bool = false, _ change: (inout ContainerOrder) -> Void = { _ in }
) throws -> JSONValue {
    var order = ContainerOrder(
        name: "web#2", owner: "jsonrpc+unix:///run/pm.sock", node: "/opt/pm/node", stopSignal: 15,
        killAfter: .seconds(10))
    change(&order)
    var file = try #require(try JSONValue(parsing: Array(text.utf8)).object)
    file["image"] = "redis:7"
    let configuration = try DockerConfiguration(
        path: "/srv/app/docker-config.json", bytes: Array(JSONValue.object(file).text.utf8))
    let folder = try #require(ChannelFolder(inner: "/run/user/7/pm-docker.a1B2c3/c"))
    return ContainerBody(
        order, configuration, .init(folder: folder, hasChannel: hasChannel), driver: DriverIdentity(label: "7.77")
    ).json
}

@Suite struct ContainerBodyTests {
    private static let sockets: JSONValue = [
        "Type": "bind", "Source": "/run/user/7/pm-docker.a1B2c3/c", "Target": "/run/pm", "ReadOnly": true,
    ]

    /// The environment of a container.
    private func environment(_ body: JSONValue) -> [String] { body["Env"]?.array?.compactMap(\.string) ?? [] }

    @Test func `a plain configuration is an image with what pm needs around it`() throws {
        let expected: JSONValue = [
            "Image": "redis:7", "Env": ["PM_SOCK=jsonrpc+unix:///run/pm/pm.sock"],
            "Labels": [
                "pm.owner": "jsonrpc+unix:///run/pm.sock", "pm.service": "web#2", "pm.driver": "7.77",
                "pm.folder": "/run/user/7/pm-docker.a1B2c3/c",
            ],
            "Tty": false, "AttachStdout": true, "AttachStderr": true, "ExposedPorts": [:],
            "HostConfig": [
                "LogConfig": ["Type": "local"], "PortBindings": [:], "Mounts": [Self.sockets],
                "ReadonlyRootfs": false, "Init": false, "AutoRemove": false, "RestartPolicy": ["Name": "no"],
            ],
        ]
        #expect(try body() == expected)
    }

    @Test func `command and entrypoint are handed on, with the arguments behind them`() throws {
        let text = #"{"command":["serve","-v"],"entrypoint":["tini","--"]}"#
        let both = try body(text) { $0.arguments = ["--port", "80"] }
        #expect(both["Cmd"] == ["serve", "-v", "--port", "80"])
        #expect(both["Entrypoint"] == ["tini", "--"])
        let arguments = try body { $0.arguments = ["-x"] }
        #expect(arguments["Cmd"] == ["-x"] && arguments["Entrypoint"] == nil)
        #expect(try body(#"{"entrypoint":[]}"#)["Entrypoint"] == [])
    }

    @Test func `commands are served by pm's host for Node, which the container cannot write to`() throws {
        let container = try body(#"{"commands":"/app/commands.json"}"#) { $0.arguments = ["-x"] }
        #expect(container["Entrypoint"] == ["node"])
        #expect(container["Cmd"] == ["/usr/lib/pm/node/host/main.mjs", "/app/commands.json", "-x"])
        let node: JSONValue = [
            "Type": "bind", "Source": "/opt/pm/node", "Target": "/usr/lib/pm/node", "ReadOnly": true,
        ]
        #expect(container["HostConfig"]?["Mounts"] == [node, Self.sockets])
    }

    @Test func `variables are set, and unset by their name alone`() throws {
        let container = try body(#"{"environment":{"A":"a=b","PORT":80,"GONE":null}}"#) {
            $0.environment = [.init(name: "B", value: ""), .init(name: "LANG", value: nil)]
        }
        #expect(
            environment(container)
                == ["A=a=b", "PORT=80", "GONE", "B=", "LANG", "PM_SOCK=jsonrpc+unix:///run/pm/pm.sock"])
    }

    @Test func `a variable of the mapping stands instead of the file's, also when it unsets it`() throws {
        let container = try body(#"{"environment":{"A":"1","B":"1","C":null}}"#) {
            $0.environment = [
                .init(name: "B", value: nil), .init(name: "A", value: "2"), .init(name: "C", value: "3"),
            ]
        }
        #expect(environment(container).dropLast() == ["A=2", "B", "C=3"])
    }

    @Test func `the way to other services is always there, a channel where the unit has one`() throws {
        #expect(environment(try body()) == ["PM_SOCK=jsonrpc+unix:///run/pm/pm.sock"])
        #expect(
            environment(try body(hasChannel: true))
                == ["PM_CHANNEL=/run/pm/channel", "PM_SOCK=jsonrpc+unix:///run/pm/pm.sock"])
    }

    @Test func `user, working directory, network, read-only root and init are the engine's`() throws {
        let text = #"{"user":"app","workingDirectory":"/app","network":"back","readOnly":true,"init":true}"#
        let container = try body(text)
        #expect(container["User"] == "app" && container["WorkingDir"] == "/app")
        let host = container["HostConfig"]
        #expect(host?["NetworkMode"] == "back" && host?["ReadonlyRootfs"] == true && host?["Init"] == true)
        #expect(try body(text) { $0.user = "root:adm" }["User"] == "root:adm")
    }

    @Test func `ports are published, several outside for one inside too`() throws {
        let container = try body(#"{"ports":["8080:80","0.0.0.0:8081:80","[::1]:53:53/udp","443","443:443/udp"]}"#)
        #expect(container["ExposedPorts"] == ["80/tcp": [:], "53/udp": [:], "443/tcp": [:], "443/udp": [:]])
        let expected: JSONValue = [
            "80/tcp": [
                ["HostIp": "127.0.0.1", "HostPort": "8080"], ["HostIp": "0.0.0.0", "HostPort": "8081"],
            ],
            "53/udp": [["HostIp": "::1", "HostPort": "53"]],
            "443/tcp": [["HostIp": "127.0.0.1", "HostPort": ""]],
            "443/udp": [["HostIp": "127.0.0.1", "HostPort": "443"]],
        ]
        #expect(container["HostConfig"]?["PortBindings"] == expected)
    }

    @Test func `paths are bound and names are volumes`() throws {
        let container = try body(#"{"volumes":["./data:/data","cache:/cache:ro"]}"#)
        let expected: JSONValue = [
            ["Type": "bind", "Source": "/srv/app/data", "Target": "/data", "ReadOnly": false],
            ["Type": "volume", "Source": "cache", "Target": "/cache", "ReadOnly": true], Self.sockets,
        ]
        #expect(container["HostConfig"]?["Mounts"] == expected)
    }

    @Test func `labels are handed on, and those by which pm finds it are pm's`() throws {
        let labels = try body(#"{"labels":{"team":"a","pm.owner":"me","pm.driver":"1.1"}}"#)["Labels"]
        let expected: JSONValue = [
            "team": "a", "pm.owner": "jsonrpc+unix:///run/pm.sock", "pm.driver": "7.77", "pm.service": "web#2",
            "pm.folder": "/run/user/7/pm-docker.a1B2c3/c",
        ]
        #expect(labels == expected)
    }
}

/// What a container may use, and what else the file says of its host.
@Suite struct ContainerHostTests {
    /// What limits add to a container's HostConfig.
    private func added(_ limits: ContainerLimits) throws -> JSONValue {
        let plain = try body()["HostConfig"]
        var host = try #require(try body { $0.limits = limits }["HostConfig"]?.object)
        for (key, value) in plain?.object ?? [:] {
            #expect(host[key] == value)
            host[key] = nil
        }
        return .object(host)
    }

    @Test func `each limit is one of the engine's`() throws {
        #expect(try added(ContainerLimits()) == [:])
        #expect(try added(ContainerLimits(memory: 1 << 28)) == ["Memory": 268_435_456])
        #expect(try added(ContainerLimits(cpu: 50_000)) == ["CpuPeriod": 100_000, "CpuQuota": 50_000])
        #expect(try added(ContainerLimits(pids: 64)) == ["PidsLimit": 64])
        #expect(
            try added(ContainerLimits(openFiles: 99)) == ["Ulimits": [["Name": "nofile", "Soft": 99, "Hard": 99]]])
        #expect(try added(ContainerLimits(oomScoreAdjust: -5)) == ["OomScoreAdj": -5])
    }

    @Test func `hostConfig adds to what there are several of, and replaces what there is one of`() throws {
        let text = #"""
            {"volumes":["a:/a"],"hostConfig":{"Mounts":[{"Type":"tmpfs","Target":"/tmp"}],"CapAdd":["NET_ADMIN"],
            "LogConfig":{"Type":"none"},"Memory":5,"Ulimits":[{"Name":"core","Soft":0,"Hard":0}]}}
            """#
        let host = try body(text) { ($0.limits.memory, $0.limits.openFiles) = (1 << 28, 99) }["HostConfig"]
        #expect(host?["Mounts"]?.array?.compactMap { $0["Target"]?.string } == ["/a", "/run/pm", "/tmp"])
        #expect(host?["Ulimits"]?.array?.compactMap { $0["Name"]?.string } == ["nofile", "core"])
        #expect(host?["CapAdd"] == ["NET_ADMIN"])
        #expect(host?["LogConfig"] == ["Type": "none"])
        #expect(host?["Memory"] == 5)
    }

    @Test func `hostConfig does not say whether the engine starts or removes it`() throws {
        let text = #"{"hostConfig":{"AutoRemove":true,"RestartPolicy":{"Name":"always"}}}"#
        let host = try body(text)["HostConfig"]
        #expect(host?["AutoRemove"] == false && host?["RestartPolicy"] == ["Name": "no"])
    }
}
