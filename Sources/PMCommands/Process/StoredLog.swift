import Glibc
import JSON
import JSONRPC
import PMAPI
import PMClient
import PMConfig
import PMLogs
import PMModel
import PMSystem

/// The logs as they lie on the disk and in the journal: readable while no daemon runs.
struct StoredLog {
    private var call: Log
    private let session: CommandContext
    private let stateDirectory: String
    private let trace: JournalUse?

    /// The stored logs that a call means; nil when the daemon is only known by its socket, when none of its services
    /// was ever logged, or when the call wants to follow.
    init?(_ call: Log, _ session: CommandContext) throws(APIError) {
        guard !call.follows, let location = try session.locator().location() else { return nil }
        self.call = call
        self.session = session
        stateDirectory = location.stateDirectory
        let units: [String]
        do throws(SystemError) {
            trace = try JournalUse.read(stateDirectory)
            units = try LogReader(LogDirectory(root: stateDirectory + "/logs")).units()
        } catch {
            throw APIError(error, doing: "read the stored logs")
        }
        guard !units.isEmpty || trace != nil else { return nil }
        self.call.names = try Self.expanded(call.names, among: units, isExact: trace == nil)
    }

    /// The services that it shows; none: all.
    var names: [String] { call.names }

    /// The names that words mean, with the further instances of each.
    private static func expanded(
        _ words: [String], among units: [String], isExact: Bool
    ) throws(APIError) -> [String] {
        var (names, seen): ([String], Set<String>) = ([], [])
        for word in words {
            var found = units.filter { $0 == word || InstanceName($0)?.unit == word }
            if found.isEmpty, ServiceNames.isPattern(word) { found = ServiceNames.matches(word, units) }
            // Which services are in the journal only the journal knows.
            guard !found.isEmpty || !isExact else {
                throw .notFound("pm is not running, and no log of \(word) is stored", hint: "pm start pm")
            }
            names += (found.isEmpty ? [word] : found).filter { seen.insert($0).inserted }
        }
        return names
    }

    /// Writes the wanted lines, as pm-logs reads them.
    func show(in printer: inout LogPrinter) throws(APIError) {
        do {
            let program = try Installation(environment: session.environment).logReader
            let output = try start(program)
            var framer = LineFramer()
            while try framer.withFreeSpace({ (space) throws(SystemError) in
                try Files.read(output.raw, into: space, named: "pm-logs")
            }) > 0 {
                while let line = try framer.nextLine() {
                    let frame = try StoredLogFrame(json: JSONValue(parsing: Array(line)))
                    guard try show(frame, in: &printer) else { return printer.finish() }
                }
            }
            throw APIError.internalFailure("pm-logs ended before it had sent all lines")
        } catch let error as SystemError {
            throw APIError(error, doing: "read the stored logs")
        } catch let error as APIError {
            throw error
        } catch {
            throw .internalFailure("cannot read the stored logs: \(error)")
        }
    }

    /// Starts the program; it ends with what it has to say, or with who reads that.
    private func start(_ program: String) throws(SystemError) -> SharedFD {
        let query = StoredLogQuery(call, state: stateDirectory)
        let input = try MemoryFile.make(query.json.serialized(), named: "pm-logs")
        let answer = try Pipe.make()
        try setBlocking(answer.reading.raw)
        var child = ChildProcess(path: program, arguments: [], environment: ["LANG=C.UTF-8"])
        child.descriptors = [input.raw, answer.writing.raw, STDERR_FILENO]
        _ = try child.start()
        return answer.reading
    }

    /// True when more frames follow.
    private func show(_ frame: StoredLogFrame, in printer: inout LogPrinter) throws(APIError) -> Bool {
        switch frame {
        case .record(var record), .unfinished(var record, _):
            record.cursor = nil
            try printer.show(.data(record.json))
            return true
        case .stored: return false
        case .failed(let error): throw error
        }
    }
}
