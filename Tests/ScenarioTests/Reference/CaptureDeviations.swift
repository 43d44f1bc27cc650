/// What we answer otherwise than the reference was seen to, and why.
enum CaptureDeviations {
    /// One decision.
    struct Row {
        /// Why it is so.
        let why: String
        /// The differences it makes: what was asked, where in the answer, and what is there.
        let seen: [String]

        init(_ why: String, _ seen: [String]...) {
            self.why = why
            self.seen = seen.flatMap(\.self)
        }
    }

    /// Differences of one kind below a path.
    private static func each(_ path: String, _ how: String, _ names: [String]) -> [String] {
        names.map { "\(path) \($0): \(how)" }
    }

    // MARK: messages, framing

    static let messages: [Row] = [
        Row(
            "0, false and \"\" are results and reach the caller", ["svc.echo error: missing", "svc.echo result: added"]),
        Row("a character that is cut by two reads is whole", [#"svc.echo result: "��" → "é""#]),
        Row("results are streamed, an object that stands for a stream helps nobody", ["svc.stream stream: added"]),
        Row("the same for logs", ["log result allowHalfOpen: missing", "log stream: added"]),
        Row("the daemon is no container that could be started", ["ls result pm: missing"]),
        Row("a definition says what it is", ["ls result svc stateless: added"]),
        Row(
            "a row says how it goes; clients skip what they do not know",
            each("status result pm", "added", rowMembers + ["folder"]), each("status result svc", "added", rowMembers)),
    ]

    private static let rowMembers = [
        "cpuMs", "memoryBytes", "tasks",
        "commandable", "cwd", "pid", "ready", "restarts", "startedAt", "state", "stateless", "uptimeMs", "wanted",
    ]

    // MARK: command line, container and sidecar

    static let services: [Row] =
        metadata + [
            Row(
                "what a service offers is kept from when it became ready, and no longer asked for with each question",
                [
                    "$metadata [true] to the container: not asked",
                    #"$metadata [{"params":true,"_trigger":"jsonrpc"}] to the container: not asked"#,
                ]),
            Row(
                "the message says what is missing, and the hint what to do; 404 is what clients go by",
                [
                    "connect error hint: added",
                    "connect error message: \"Mapping svc could not be found\" → "
                        + "\"svc has no connection point of its own; it is reached through pm\"",
                ]),
            Row("the answer says what was started", each("start result", "added", ["name", "pid", "state", "ready"])),
            Row(
                "members of a call of Node's that nothing is done with",
                each("start result", "missing", ["shell", "windowsHide"])),
            Row(
                "the program is the container itself, without the command line of the reference around it",
                [#"start result args 0: "/opt/akala/packages/pm/dist/esm/fork.js" → "/srv/app/svc.js""#],
                [#"start result args 1: "pm" → "--pm-sock""#, #"start result args 2: "run" → "ipc://""#],
                each("start result args", "missing", (3...10).map(String.init))),
            Row("Node is looked for in the service's own PATH", [#"start result execPath: "/usr/bin/node" → "node""#]),
        ]

    private static let metadata: [Row] = [
        Row(
            "the daemon is no container, so nobody opens a bridge to it; `run` is never called on it",
            each("$metadata result commands", "missing", ["$bridge", "run"])),
        Row(
            "packages are the business of package managers",
            each("$metadata result commands", "missing", ["install", "link", "uninstall", "update"])),
        Row(
            "commands of ours",
            each(
                "$metadata result commands", "added",
                [
                    "apply", "confine", "events", "explain", "installed", "plugins", "rename", "scale", "session",
                    "unmap", "upgrade",
                ])),
        Row(
            "version is that of pm; for the reference it is that of a package, and fails",
            each("$metadata result commands version sends", "missing", ["params.0", "params.1"]),
            [#"$metadata result commands version usage: "version <packageName> [folder]" → "version""#]),
        Row(
            "more options",
            each(
                "$metadata result commands connect options", "added",
                ["allow", "ca", "clients", "crl", "host", "socketName", "token", "trust"]),
            each(
                "$metadata result commands log options", "added",
                ["follow", "grep", "lines", "priority", "records", "since", "streams", "until"]),
            each("$metadata result commands start options", "added", ["inspectBrk", "settle"]),
            ["$metadata result commands stop options now: added"],
            each("$metadata result commands restart options", "added", ["inspectBrk", "settle"])),
        Row(
            "usage names every word, and words are no options too",
            [
                #"$metadata result commands connect usage: "connect <name>" → "connect <name> [...args]""#,
                #"$metadata result commands log usage: null → "log <name>""#,
                #"$metadata result commands ls usage: null → "ls""#,
                #"$metadata result commands start usage: "start <program>" → "start <program> [...args]""#,
                #"$metadata result commands status usage: null → "status [name]""#,
                #"$metadata result commands log sends params.0: "params.0" → "options.name""#,
                #"$metadata result commands status sends params.0: "params.0" → "options.name""#,
                "$metadata result commands start options program: missing",
                "$metadata result commands stop options process: missing",
            ]),
        Row(
            "options are sent, so that they can be heeded",
            each(
                "$metadata result commands", "added",
                ["log sends params.1", "status sends params.1", "stop sends params.1"])),
        Row(
            "map stores the folder it was called in; the reference sends nothing there",
            [#"$metadata result commands map sends params.3: "cwd" → "context.currentWorkingDirectory""#]),
        Row(
            "restart sends the name; without it the reference ends its daemon. It keeps the name it was started under",
            each("$metadata result commands restart options", "missing", ["name", "new", "program"]),
            [
                #"$metadata result commands restart sends params.0: "params.0" → "options.program""#,
                #"$metadata result commands restart sends params.1: "context" → "options""#,
                "$metadata result commands restart sends params.2: added",
            ]),
        Row(
            "they are words of command lines, too",
            [
                #"$metadata result commands name: "not of command lines" → {"usage":"name","options":{},"sends":{}}"#,
                #"$metadata result commands reload-metadata: "not of command lines" → "#
                    + #"{"usage":"reload-metadata <name>","options":{},"sends":{"params.0":"options.name"}}"#,
            ]),
    ]

    // MARK: connection points

    /// A point that is at another host.
    private static func moved(_ asked: String, _ scheme: String, _ port: String) -> [String] {
        ["\(asked) \(scheme)://0.0.0.0:\(port): missing", "\(asked) \(scheme)://127.0.0.1:\(port): added"]
    }

    private static let tls = #"["http","ws"] {"port":8443,"key":"k.pem","cert":"c.pem"}"#
    private static let all = #"["local","tcp","ws","http"] {"tcpPort":"1234","key":"k.pem","cert":"c.pem"}"#

    static let points: [Row] = [
        Row(
            "without a host only this machine is served",
            moved(#"["tcp"] {"tcpPort":"31600"}"#, "jsonrpc+tcp", "31600"),
            moved(#"["tcp"] {"tcpPort":31600}"#, "jsonrpc+tcp", "31600"), moved(#"["http"] {}"#, "http", "80"),
            moved(#"["ws"] {"port":8080}"#, "ws", "8080"), moved(tls, "https", "8443"), moved(tls, "wss", "8443"),
            moved(all, "jsonrpc+tcp+tls", "1234"), moved(all, "https", "443"), moved(all, "wss", "443")),
        Row(
            "files are found from anywhere",
            [
                "\(all) jsonrpc+unix+tls:///srv/app/scope-my-app.sock cert: \"c.pem\" → \"/srv/app/c.pem\"",
                "\(all) jsonrpc+unix+tls:///srv/app/scope-my-app.sock key: \"k.pem\" → \"/srv/app/k.pem\"",
            ]),
        Row(
            "a point without a port, and a word that means nothing, are refused with the reason",
            [
                #"["bogus"] {} error: added"#, #"["tcp"] {} error: added"#,
                #"["tcp"] {} jsonrpc+tcp://0.0.0.0:undefined: missing"#,
            ]),
    ]

    // MARK: routes

    static let routes: [Row] = [
        Row("members of the query are found", [#"GET /q?a=3 body: "undefined5" → "35""#]),
        Row(
            "every request is answered",
            [
                #"GET /$metadata body: null → "the metadata""#, "GET /$metadata status: null → 200",
                "GET /fail?m=oops status: null → 418", "GET /nothing status: null → 204",
                "GET /unknown status: null → 404",
            ]),
    ]
}
