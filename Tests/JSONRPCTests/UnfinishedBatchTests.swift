import Testing

@testable import JSONRPC

@Suite struct `A batch that is not finished` {
    /// What is left of a batch after so many messages.
    private func rest(of text: String, after count: Int) throws -> UnfinishedBatch {
        try Array(text.utf8).withUnsafeBytes { bytes in
            var elements = try RPCBatch(bytes).makeIterator()
            for _ in 0..<count { _ = elements.next() }
            return UnfinishedBatch(elements)
        }
    }

    private func all(_ batch: UnfinishedBatch) -> [String] {
        var texts: [String] = []
        while batch.next({ texts.append(String(decoding: $0, as: UTF8.self)) }) {}
        return texts
    }

    @Test func `gives what is left, as it was written`() throws {
        #expect(all(try rest(of: #"[1, {"a":[2, 3]} ,"x,]", 4 ] "#, after: 1)) == [#"{"a":[2, 3]}"#, #""x,]""#, "4"])
        #expect(all(try rest(of: "[1,2]", after: 2)).isEmpty)
    }

    @Test func `gives what is left as lines to who goes on`() throws {
        let batch = try rest(of: #"[1, {"a":[2, 3]} , 4 ] "#, after: 0)
        var first = ""
        #expect(batch.next({ first = String(decoding: $0, as: UTF8.self) }) && first == "1")
        #expect(String(decoding: batch.lines, as: UTF8.self) == "{\"a\":[2, 3]}\n4\n")
        #expect(all(batch).isEmpty)
    }
}
