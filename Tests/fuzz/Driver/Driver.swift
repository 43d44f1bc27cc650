import Glibc
import PMFuzzTargets

/// libFuzzer's entry. PM_FUZZ_TARGET names the target, TMPDIR where its files may be.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let input = [UInt8](UnsafeBufferPointer(start: data, count: size))
    do {
        try Session.current.runner.run(Session.current.target, on: input)
    } catch {
        fatalError("does not hold: \(error)")
    }
    return 0
}

/// The target of this run.
private struct Session {
    // holds because libFuzzer calls its entry on one thread
    nonisolated(unsafe) static let current = Session()

    let target: FuzzTarget
    let runner: FuzzRunner

    init() {
        guard let target = FuzzTarget(rawValue: Self.variable("PM_FUZZ_TARGET") ?? "") else {
            fatalError("PM_FUZZ_TARGET must be one of \(FuzzTarget.allCases.map(\.rawValue))")
        }
        self.target = target
        do {
            runner = try FuzzRunner(directory: Self.variable("TMPDIR") ?? "/tmp")
        } catch {
            fatalError("\(error)")
        }
    }

    private static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
