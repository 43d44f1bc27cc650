import JSON
import PMSystem
import PMTestSupport
import Testing

/// The set of texts in Tests/Fixtures/json: `y_` must be accepted, `n_` must be rejected, with `i_` a parser may do
/// either. Tests/node/host/conformance.test.mjs shows that V8 agrees.
@Suite struct ConformanceFileTests {
    @Test func `texts that must be accepted are`() throws {
        for (name, bytes) in try texts("y_") {
            #expect(verdicts(bytes) == [true, true, true], "\(name)")
            let value = try JSONValue(parsing: bytes)
            #expect(try JSONValue(parsing: value.serialized()) == value, "\(name)")
            #expect(try JSONDocument(parsing: bytes).root.value == value, "\(name)")
        }
    }

    @Test func `texts that must be rejected are, for one reason`() throws {
        for (name, bytes) in try texts("n_") {
            #expect(verdicts(bytes) == [false, false, false], "\(name)")
            let parsed = #expect(throws: JSONError.self) { try JSONValue(parsing: bytes) }
            let read = #expect(throws: JSONError.self) { try JSONDocument(parsing: bytes) }
            #expect(parsed == read, "\(name)")
        }
    }

    @Test func `on texts that may be either all readers agree`() throws {
        for (name, bytes) in try texts("i_") {
            let verdict = verdicts(bytes)
            #expect(Set(verdict).count == 1, "\(name)")
            guard let value = try? JSONValue(parsing: bytes) else { continue }
            #expect(try JSONDocument(parsing: bytes).root.value == value, "\(name)")
            #expect(try JSONValue(parsing: value.serialized()) == value, "\(name)")
        }
    }

    private func texts(_ prefix: String) throws -> [(name: String, bytes: [UInt8])] {
        let folder = TestPaths.fixture("json")
        let names = try Files.list(folder).filter { $0.hasPrefix(prefix) }.sorted()
        try #require(names.count >= 20)
        return try names.map { ($0, try Files.read(folder + "/" + $0)) }
    }
}
