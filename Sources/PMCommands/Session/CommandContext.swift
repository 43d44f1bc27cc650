import Glibc
import PMAPI
import PMClient
import PMConfig
import PMModel
import PMSystem

/// All that a command may use of the world.
struct CommandContext {
    /// The environment variables, which tests replace.
    var environment: [String: String]
    /// Properties of the terminal.
    var terminal: Terminal
    /// Standard output, for results only.
    var output: any OutputSink
    /// Standard error: everything else.
    var errors: any OutputSink
    /// The clock, which tests replace.
    var clock: any TimeSource = SystemClock()
    /// The next line of standard input without its end; nil at the end.
    var readLine: () -> String? = { Swift.readLine() }
    /// The form of results.
    var format = OutputFormat.table
    /// True to tell more on standard error.
    var isVerbose = false
    /// Which daemon is meant.
    var target = DaemonTarget()

    /// The session of this process.
    static func current(environment: [String: String]) -> CommandContext {
        CommandContext(
            environment: environment, terminal: Terminal(environment: environment),
            output: DescriptorSink(STDOUT_FILENO), errors: DescriptorSink(STDERR_FILENO))
    }

    /// The same session with what the command line says.
    func with(_ options: GlobalOptions) -> CommandContext {
        var session = self
        session.format = options.output.format
        session.isVerbose = options.verbose
        session.target = options.target
        return session
    }

    /// The same session with the form of results that words ask for which the parser refused.
    func speaking(_ words: [String]) -> CommandContext {
        var session = self
        let own = words.prefix { $0 != "--" }
        let isJSON = zip(own, own.dropFirst()).contains { ["-o", "--output"].contains($0) && $1 == "json" }
        if isJSON || ["--output=json", "-o=json", "-ojson"].contains(where: own.contains) { session.format = .json }
        return session
    }

    /// Finds the daemon that is meant.
    func locator() throws(APIError) -> DaemonLocator {
        do {
            var locator = DaemonLocator(context: try LocationContext.current(environment: environment))
            locator.selection = target.selection
            locator.socket = target.socket
            return locator
        } catch {
            throw APIError(error)
        }
    }

    /// Connects to the daemon that is meant.
    func connect() throws(APIError) -> DaemonClient {
        let locator = try locator()
        let client = try locator.connect()
        // Its configuration is not where the user is, and may have been forgotten.
        if locator.selection == .nearest, target.socket == nil, let found = try locator.location(), found.scope == .user
        {
            note("this is the daemon of the user, \(found.configFile); pm start pm starts one for this folder")
        }
        if isVerbose { note("connected to \(client.address)") }
        return client
    }

    /// Tells something that is not a result; names and paths in it may be anything.
    func note(_ text: String) { errors.line("pm: " + DisplayWidth.printableLines(target.named(text))) }

    /// Colours for standard output, or none.
    var style: Style { Style(isOn: terminal.hasColour) }

    /// The working directory.
    func workingDirectory() throws(APIError) -> String {
        do {
            return try Files.currentDirectory()
        } catch {
            throw APIError(error, doing: "find the working directory")
        }
    }
}

/// Which daemon a command line means.
struct DaemonTarget: Equatable, Sendable {
    /// Choice of the daemon by its configuration.
    var selection = DaemonSelection.nearest
    /// By socket; it goes before the configuration.
    var socket: String?

    /// The options of a command line that mean this daemon, as a shell takes them; nil for the nearest one.
    private var options: String? {
        // `pm start pm`, which most hints name, takes no socket.
        guard socket == nil else { return nil }
        return switch selection {
        case .nearest: nil
        case .user: "--user"
        case .system: "--system"
        case .file(let file): "--config \(file.shellWord)"
        }
    }

    /// A text whose commands of pm name this daemon, so that they can be pasted: `pm start web` becomes
    /// `pm --user start web`. A command that names a daemon already, this one or another, is left alone.
    func named(_ text: String) -> String {
        guard let options else { return text }
        var words = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        for index in words.indices.dropLast() where words[index] == "pm" || words[index].hasSuffix("(pm") {
            let verb = words[index + 1].prefix { $0 == "-" || $0.isLetter }
            guard PM.words.contains(String(verb)), !Self.namesDaemon(words[(index + 1)...]) else { continue }
            words[index] += " " + options
        }
        return words.joined(separator: " ")
    }

    /// True when a command that a text begins with has an option that names a daemon; it ends at a comma or the like.
    private static func namesDaemon(_ words: ArraySlice<String>) -> Bool {
        let last = words.firstIndex { word in word.last.map { ",;.:)".contains($0) } ?? false }
        return words[...(last ?? words.endIndex - 1)].contains { word in
            ["--user", "--system", "--config"].contains(word.prefix { $0 == "-" || $0.isLetter })
        }
    }
}

extension DaemonClient {
    /// Calls the daemon; a failure comes as people and exit codes need it.
    func ask<C: DaemonCall>(_ call: C, within limit: Duration? = DaemonClient.answerTimeout) throws(APIError)
        -> C.Answer
    {
        try reporting { () throws(ClientError) in try self.call(call, within: limit) }
    }

    /// The JSON text of the daemon's answer, as it came; `null` for void.
    func askForText<C: DaemonCall>(_ call: C, within limit: Duration? = DaemonClient.answerTimeout) throws(APIError)
        -> [UInt8]
    {
        try reporting { () throws(ClientError) in
            try bytes(of: send(call), within: limit) ?? Array("null".utf8)
        }
    }
}

/// Runs something with the client; a failure comes as people and exit codes need it.
func reporting<T>(_ body: () throws(ClientError) -> T) throws(APIError) -> T {
    do throws(ClientError) {
        return try body()
    } catch {
        throw error.report
    }
}
