import Glibc
import PMAPI
import PMModel
import PMSystem

/// Whether Node is found by this shell and by the daemon, and what it is.
struct NodeCheck {
    private let checkup: Checkup

    init(_ checkup: Checkup) { self.checkup = checkup }

    /// What was found on one PATH.
    struct Node: Equatable {
        /// The program.
        let path: String
        /// `v22.18.0`; nil when it does not run.
        let version: String?
        /// True when it runs TypeScript.
        let runsTypeScript: Bool
    }

    func findings() -> [Finding] {
        let shell = checkup.session.environment["PATH"] ?? ""
        let own = node(on: shell)
        let pid = checkup.answer?.pid
        let daemonPath = pid.flatMap { Checkup.variable("PATH", of: $0) }
        let first = Self.finding(own, on: shell, isNeeded: isNeeded)
        guard let daemonPath, daemonPath != shell else { return [first] }
        return [first] + [Self.finding(ofDaemon: node(on: daemonPath), on: daemonPath, shell: own)]
    }

    /// The finding for the PATH of this shell.
    static func finding(_ node: Node?, on path: String, isNeeded: Bool) -> Finding {
        guard let node else {
            let text = "there is no node in PATH (\(path))"
            let next =
                "install Node.js, or add its directory to PATH; for a daemon of systemd set Environment=PATH=... in the unit"
            return isNeeded ? .error("node", text, next: next) : .warning("node", text, next: next)
        }
        guard let version = node.version else {
            return .error("node", "\(node.path) does not run", next: "\(node.path) --version shows why")
        }
        let typescript = node.runsTypeScript ? "runs TypeScript" : "runs no TypeScript"
        return .ok("node", "\(version) at \(node.path), \(typescript)")
    }

    /// The finding for the PATH of a daemon that has another one.
    static func finding(ofDaemon node: Node?, on path: String, shell: Node?) -> Finding {
        let check = "node of pm"
        guard let node else {
            return .error(
                check, "the daemon finds no node in its PATH (\(path))",
                next: "pm stop, then pm start pm from this shell; under systemd set Environment=PATH=... in the unit")
        }
        guard let version = node.version else {
            return .error(check, "\(node.path) does not run", next: "\(node.path) --version shows why")
        }
        guard version == shell?.version || shell == nil else {
            return .warning(
                check, "services run with \(version) at \(node.path), and this shell has \(shell?.version ?? "none")",
                next: "if that is not meant: pm stop, then pm start pm from this shell")
        }
        return .ok(check, "\(version) at \(node.path)")
    }

    /// True when a service of the configuration is JavaScript or TypeScript.
    private var isNeeded: Bool {
        guard let configuration = checkup.configuration else { return false }
        return configuration.unitNames.compactMap { configuration.unit($0) }.contains { unit in
            let path = unit.definition.path
            return unit.definition.runtime == .nodejs
                && (unit.definition.isCommandable || Self.endings.contains(where: path.hasSuffix))
        }
    }

    private static let endings = [".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".json"]

    private func node(on path: String) -> Node? {
        guard let program = ProgramFinder(path: path, directory: "/").program("node") else { return nil }
        // A Node that cannot be started says nothing.
        let text = (try? answer(of: program, path)) ?? ""
        let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
        guard let version = words.first, version.hasPrefix("v") else {
            return Node(path: program, version: nil, runsTypeScript: false)
        }
        return Node(path: program, version: version, runsTypeScript: words.last == "ts")
    }

    /// Time for Node to say what it is.
    private static let limit = Duration.seconds(5)

    /// What Node says of itself; empty when it does not end in time.
    private func answer(of program: String, _ path: String) throws(SystemError) -> String {
        let output = try MemoryFile.make([], named: "node")
        let null = try OwnedFD.open("/dev/null", O_RDWR)
        let question = "console.log(process.version, process.features.typescript ? 'ts' : '-')"
        var child = ChildProcess(path: program, arguments: ["-e", question], environment: ["PATH=\(path)"])
        child.directory = "/"
        child.descriptors = [null.raw, output.raw, null.raw]
        let started = try child.startHeld()
        var ended = pollfd(fd: started.descriptor.raw, events: Int16(POLLIN), revents: 0)
        if poll(&ended, 1, Int32(Self.limit.milliseconds)) == 0 {
            started.kill()
            poll(&ended, 1, -1)
        }
        guard started.reap() == 0 else { return "" }
        return String(decoding: try MemoryFile.read(output), as: UTF8.self)
    }
}
