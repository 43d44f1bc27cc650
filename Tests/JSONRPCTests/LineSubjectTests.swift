import JSONRPC
import Testing

/// The call of a line, read from the beginning of the line.
@Suite struct LineSubjectTests {
    private static func subject(_ text: String) -> (id: String, isReply: Bool)? {
        Array(text.utf8).withUnsafeBytes { LineSubject($0) }.map { ($0.id.description, $0.isReply) }
    }

    private static let long = String(repeating: "x", count: 5000)

    @Test(arguments: [
        (#"{"jsonrpc":"2.0","id":7,"method":"a.b","params":[""#, "7", false),
        (#"{"id":"abc","method":"a.b","params":[""#, "abc", false),
        (#"{"method":"a","id":8,"params":[""#, "8", false),
        (#" { "id" : 9 , "params" : {"a":""#, "9", false),
        (#"{"id":10,"result":""#, "10", true),
        (#"{"jsonrpc":"2.0","stream":true,"id":11,"error":{"message":""#, "11", true),
        (#"{"result":1,"id":12,"x":""#, "12", true),
    ])
    func `is the id, and whether it is an answer`(start: String, id: String, isReply: Bool) {
        let found = Self.subject(start + Self.long)
        #expect(found?.id == id && found?.isReply == isReply, "\(start)")
    }

    @Test(arguments: [
        "", "{", "[", "7", #"{"id":7"#, #"{"id":7,"#, #"{"id":null,"method":"#, #"{"id":{},"method":"#,
        #"{"id":[1],"result":"#,
        #"{"params":["#, #"{"result":""#, #"{"id":7,"other":""#, #"[{"id":7,"method":"#,
        "{\"id\":\"\(long)\",\"method\":",
        #"{"id":7 "method":"#, #"{"id":truthy,"result":"#,
    ])
    func `is nothing where the beginning names no call`(start: String) {
        #expect(Self.subject(start + Self.long) == nil, "\(start.prefix(40))")
    }

    @Test func `is looked for in the first two kilobytes alone`() {
        let padding = String(repeating: " ", count: 2 << 10)
        #expect(Self.subject("{\(padding)\"id\":7,\"method\":\"a\"") == nil)
        #expect(Self.subject("{\"id\":7,\(padding)\"method\":\"a\"") == nil)
        #expect(Self.subject("{\"id\":7,\"method\":\(padding)") != nil)
    }
}
