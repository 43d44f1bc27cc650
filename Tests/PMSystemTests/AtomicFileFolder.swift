import Glibc
import PMSystem
import Synchronization

/// A folder of its own with one file in it, gone at the end.
final class AtomicFileFolder: Sendable {
    let path: String
    var file: String { path + "/data" }

    init() throws {
        // In memory where possible: hundreds of fsync(2) on a slow disk would take minutes.
        let base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
        var template = Array("\(base)/pm-atomic-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError.last("mkdtemp") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        // What a test left behind does not matter any more.
        for name in (try? Files.list(path)) ?? [] { unlink(path + "/" + name) }
        rmdir(path)
    }

    func names() throws -> [String] { try Files.list(path) }

    func put(_ text: String, at name: String = "data") throws {
        let file = try OwnedFD.open(path + "/" + name, O_WRONLY | O_CREAT | O_TRUNC)
        try Files.write(text.utf8, to: file.raw, named: name)
    }

    func text(_ name: String = "data") throws -> String? {
        guard try Files.status(path + "/" + name) != nil else { return nil }
        return String(decoding: try Files.read(path + "/" + name), as: UTF8.self)
    }
}

/// Steps that happened, and what to do at which.
final class FaultPlan: Sendable {
    private let seen = Mutex<[AtomicFileStep]>([])
    private let act: @Sendable (AtomicFileStep, Int) throws(SystemError) -> Void

    init(_ act: @escaping @Sendable (AtomicFileStep, Int) throws(SystemError) -> Void) {
        self.act = act
    }

    var steps: [AtomicFileStep] { seen.withLock { $0 } }

    var faults: AtomicFileFaults {
        AtomicFileFaults { (step, _) throws(SystemError) in
            let place = self.seen.withLock { steps in
                steps.append(step)
                return steps.count
            }
            try self.act(step, place)
        }
    }

    /// Fails at that place, counted from 1.
    static func failing(at place: Int, code: Int32) -> FaultPlan {
        FaultPlan { (step, now) throws(SystemError) in
            if now == place { throw SystemError(step.rawValue, "fault", code: code) }
        }
    }

    /// Nothing works any more from that place on, not even tidying up, as after kill -9.
    static func killed(at place: Int) -> FaultPlan {
        FaultPlan { (step, now) throws(SystemError) in
            if now >= place { throw SystemError(step.rawValue, "killed", code: EINTR) }
        }
    }
}
