import Glibc
import PMFuzzTargets
import PMSystem
import PMTestSupport
import Testing

/// The short pass of the fuzz targets: their corpora, and mutations that are the same in each run.
@Suite struct FuzzTests {
    private let mutations = 1000

    @Test(arguments: FuzzTarget.allCases) func `what must hold holds for the corpus`(_ target: FuzzTarget) throws {
        let runner = try FuzzRunner(directory: directory)
        for (name, input) in try corpus(target) {
            #expect(throws: Never.self, "\(target.rawValue)/\(name)") { try runner.run(target, on: input) }
        }
    }

    @Test(arguments: FuzzTarget.allCases) func `what must hold holds for mutations of the corpus`(
        _ target: FuzzTarget
    ) throws {
        let runner = try FuzzRunner(directory: directory)
        let inputs = try corpus(target).map(\.bytes)
        var mutator = Mutator(seed: 1)
        for _ in 0..<mutations {
            let input = mutator.next(inputs)
            do {
                try runner.run(target, on: input)
            } catch {
                Issue.record("\(error): \(input.map { String($0, radix: 16) }.joined(separator: " "))")
                return
            }
        }
    }

    private var directory: String { getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp" }

    private func corpus(_ target: FuzzTarget) throws -> [(name: String, bytes: [UInt8])] {
        let folder = TestPaths.root + "/Tests/fuzz/corpus/" + target.rawValue
        let inputs = try Files.list(folder).sorted().map { ($0, try Files.read(folder + "/" + $0)) }
        try #require(!inputs.isEmpty)
        return inputs
    }
}
