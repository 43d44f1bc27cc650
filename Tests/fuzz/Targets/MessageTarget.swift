import JSON
import JSONRPC

/// One line as a JSON-RPC message, beside what the JSON parser says of it.
enum MessageTarget {
    static func check(_ input: [UInt8]) throws(Finding) {
        // A line has no line end in it: the framer saw to that.
        let line = input.map { $0 == UInt8(ascii: "\n") ? UInt8(ascii: " ") : $0 }
        let value = try? JSONValue(parsing: line)
        try line.withBytes { (bytes) throws(Finding) in
            switch Result(of: { () throws(MalformedMessage) in try Message.scan(bytes) }) {
            case .success(let message):
                guard let value else { throw Finding("what is no JSON is no message") }
                try check(message, value)
            case .failure(let rejected):
                try require((rejected.kind == .unreadable) == (value == nil), "JSON is never called unreadable")
                try check(rejected)
            }
        }
    }

    private static func check(_ message: Message, _ value: JSONValue) throws(Finding) {
        switch message {
        case .request(let request): try check(request, value)
        case .reply(let reply): try check(reply, value)
        case .batch(let batch): try check(batch, value)
        }
    }

    private static func check(_ request: RPCRequest, _ value: JSONValue) throws(Finding) {
        try checkMembers(request, value)
        var output: [UInt8] = []
        MessageWriter.relay(request, id: request.isNotification ? nil : 7, method: request.method, to: &output)
        let again = try message(output)
        try again.withBytes { (bytes) throws(Finding) in
            guard
                case .success(.request(let passed)) = Result(of: { () throws(MalformedMessage) in
                    try Message.scan(bytes)
                })
            else { throw Finding("a request that is passed on stays one") }
            try require(
                passed.method.string == request.method.string && passed.isStream == request.isStream
                    && passed.isNotification == request.isNotification, "a request passed on keeps its method and kind")
            try require(
                passed.params.map(Array.init) == request.params.map(Array.init), "parameters are passed on unchanged")
        }
    }

    private static func checkMembers(_ request: RPCRequest, _ value: JSONValue) throws(Finding) {
        try require(value["jsonrpc"] == "2.0", "a message says jsonrpc 2.0")
        try require(value["method"] == .string(request.method.string), "the method is the text's")
        try require(try read(request.params) == value["params"], "the parameters are the text's")
        if let id = value["id"], !id.isNull {
            try require(try read(request.id) == id, "the id is the text's")
        } else {
            try require(request.isNotification, "without an id nobody is answered")
        }
        if let owned = request.ownedID, let raw = request.id {
            try require(owned.withBytes { $0.elementsEqual(raw) }, "a kept id is the same bytes")
        }
        _ = request.method.split(at: ".").map { ($0.head.string, $0.tail.string) }
    }

    private static func check(_ reply: RPCReply, _ value: JSONValue) throws(Finding) {
        try require(try read(reply.id) == value["id"], "the id is the text's")
        switch reply.outcome {
        case .result(let raw): try require(try read(raw) == value["result"], "the result is the text's")
        case .error(let raw): try require(try read(raw) == value["error"], "the error is the text's")
        case .void: try require(value["result"] == nil && value["error"]?.isTruthy != true, "void has no error")
        }
        _ = reply.internalID
        // An error is data: whatever it is, it can be read.
        _ = try? reply.value()
        var output: [UInt8] = []
        MessageWriter.relay(reply, id: reply.ownedID, to: &output)
        let again = try message(output)
        let passed = try mustWork("a reply passed on is JSON") { try JSONValue(parsing: again) }
        try require(passed["id"] == value["id"], "a reply passed on keeps its id")
    }

    private static func check(_ batch: RPCBatch, _ value: JSONValue) throws(Finding) {
        let elements = value.array ?? []
        var count = 0
        for raw in batch {
            let element = try read(raw)
            try require(count < elements.count && element == elements[count], "elements are the array's")
            count += 1
            if count > 64 { return }
            switch Result(of: { () throws(MalformedMessage) in try Message.scan(element: raw) }) {
            case .success(let message): try check(message, elements[count - 1])
            case .failure(let rejected): try check(rejected)
            }
        }
        try require(count == elements.count && count > 0, "a batch has all elements of the array")
    }

    private static func check(_ rejected: MalformedMessage) throws(Finding) {
        var output: [UInt8] = []
        MessageWriter.rejection(rejected, to: &output)
        let line = try message(output)
        let answer = try mustWork("a rejection is JSON") { try JSONValue(parsing: line) }
        try require(answer["error"]?["code"] != nil && answer["jsonrpc"] == "2.0", "a rejection is an error reply")
    }

    /// The line without its end.
    private static func message(_ output: [UInt8]) throws(Finding) -> [UInt8] {
        try require(output.firstIndex(of: UInt8(ascii: "\n")) == output.count - 1, "a message is one line")
        return Array(output.dropLast())
    }

    private static func read(_ raw: UnsafeRawBufferPointer?) throws(Finding) -> JSONValue? {
        guard let raw else { return nil }
        return try mustWork("a part of a message is JSON") { try JSONValue(parsing: raw) }
    }
}
