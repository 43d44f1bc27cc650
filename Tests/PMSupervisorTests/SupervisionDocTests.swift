import Glibc
import Testing

@testable import PMSupervisor

/// Docs/Supervision.md tells what the machine does. To write its table again: `PM_WRITE_DOCS=1 swift test --filter
/// SupervisionDocTests`.
struct SupervisionDocTests {
    private static let opening = "<!-- state table: begin -->\n"
    private static let end = "\n<!-- state table: end -->"

    @Test func `the table in the documentation is what the machine does`() throws {
        let path = Self.document("Supervision.md")
        let page = try #require(Self.read(path), "cannot read \(path)")
        let head = try #require(page.range(of: Self.opening))
        let tail = try #require(page.range(of: Self.end))
        if getenv("PM_WRITE_DOCS") != nil {
            Self.write(page[..<head.upperBound] + StateTable.text + page[tail.lowerBound...], to: path)
            return
        }
        let documented = page[head.upperBound..<tail.lowerBound].split(
            separator: "\n", omittingEmptySubsequences: false)
        let actual = StateTable.text.split(separator: "\n", omittingEmptySubsequences: false)
        for (line, expected) in zip(documented, actual) { #expect(line == expected) }
        #expect(documented.count == actual.count)
    }

    @Test func `the deadlines in the documentation are the usual ones`() throws {
        let page = try #require(Self.read(Self.document("Configuration.md")))
        #expect(UnitSettings().readyDeadline == .seconds(60) && UnitSettings.dockerDeadline == .seconds(600))
        #expect(page.contains(#"a `deadline`, by default `"60s"` (`"10m"` in Docker"#))
    }

    @Test func `the table has every state once`() {
        let headings = StateTable.text.split(separator: "\n").filter { $0.hasPrefix("###") }
        #expect(headings.count == 22)
        #expect(Set(headings).count == headings.count)
    }

    static func document(_ name: String) -> String {
        #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined() + "/Docs/" + name
    }

    static func read(_ path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var byte = getc(file)
        while byte != EOF {
            bytes.append(UInt8(truncatingIfNeeded: byte))
            byte = getc(file)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func write(_ text: Substring, to path: String) {
        guard let file = fopen(path, "w") else {
            Issue.record("cannot write \(path)")
            return
        }
        fputs(String(text), file)
        fclose(file)
    }
}

extension String {
    /// Where this text is, without Foundation.
    fileprivate func range(of text: String) -> Range<Index>? {
        indices.lazy.compactMap { start -> Range<Index>? in
            guard self[start...].hasPrefix(text) else { return nil }
            return start..<(self.index(start, offsetBy: text.count))
        }.first
    }
}
