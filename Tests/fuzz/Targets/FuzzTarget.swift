/// What is fuzzed. Each target takes any bytes and checks that what must always hold does hold.
public enum FuzzTarget: String, CaseIterable, Sendable {
    /// The JSON scanner, the parser and the document: they agree, and writing gives back what was read.
    case json
    /// Lines out of a byte stream, however it is torn.
    case framer
    /// JSON-RPC messages: what is understood is what the text says, and passing it on keeps it.
    case messages
    /// The configuration file and its edits: an edit changes what it is about and no other byte.
    case config
    /// A package.json: what is discovered lies in the package.
    case package
    /// A commands.json beside a package.json.
    case commands
    /// What pm-init says to the daemon.
    case holder
    /// A text with variables, and a configuration whose values and profile come from elsewhere.
    case template
    /// Dates, durations, sizes, numbers of accounts, ids and cursors.
    case values
    /// An ecosystem file of PM2, as JSON.
    case ecosystem
    /// A Procfile.
    case procfile
    /// A Compose file, and YAML in general.
    case compose
    /// A unit of systemd.
    case unit
    /// A configuration of supervisord.
    case supervisord
    /// The first line of a connection to the gateway, and the head of a request of HTTP.
    case gate
}

/// Runs targets. The folder that some of them read packages from is made once, and removed with the runner.
public final class FuzzRunner {
    private let folder: PackageBench

    /// Makes the folder below `directory`.
    public init(directory: String) throws {
        folder = try PackageBench(directory: directory)
    }

    /// Runs one target on one input. Throws what did not hold.
    public func run(_ target: FuzzTarget, on input: [UInt8]) throws(Finding) {
        switch target {
        case .json: try JSONTarget.check(input)
        case .framer: try FramerTarget.check(input)
        case .messages: try MessageTarget.check(input)
        case .config: try ConfigTarget.check(input)
        case .package: try folder.check(package: input)
        case .commands: try folder.check(commands: input)
        case .holder: try InitTarget.check(input)
        case .template: try TemplateTarget.check(input)
        case .values: try ValueTarget.check(input)
        case .ecosystem: try MigrationTarget.check(ecosystem: input)
        case .procfile: try MigrationTarget.check(procfile: input)
        case .compose: try MigrationTarget.check(compose: input)
        case .unit: try MigrationTarget.check(unit: input)
        case .supervisord: try MigrationTarget.check(supervisord: input)
        case .gate: try GateTarget.check(input)
        }
    }
}

/// Something that must hold and did not.
public struct Finding: Error, CustomStringConvertible {
    /// What must hold.
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Throws a finding unless the condition holds.
func require(_ condition: Bool, _ rule: @autoclosure () -> String) throws(Finding) {
    if !condition { throw Finding(rule()) }
}

/// Runs `body` where an error is a finding.
func mustWork<Value>(_ rule: String, _ body: () throws -> Value) throws(Finding) -> Value {
    do {
        return try body()
    } catch {
        throw Finding("\(rule): \(error)")
    }
}

extension [UInt8] {
    /// Lends the bytes to a body that says what it throws.
    func withBytes<Value, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        try withUnsafeBufferPointer { (buffer) throws(Failure) -> Value in try body(UnsafeRawBufferPointer(buffer)) }
    }
}

extension Result {
    /// What the body gives or throws.
    init(of body: () throws(Failure) -> Success) {
        do throws(Failure) {
            self = .success(try body())
        } catch {
            self = .failure(error)
        }
    }
}
