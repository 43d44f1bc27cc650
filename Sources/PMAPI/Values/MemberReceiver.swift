import JSON

/// Takes the members of an object, each name once.
protocol MemberReceiver {
    mutating func put(_ name: StaticString, _ value: JSONValue)
    mutating func put(_ name: StaticString, _ value: String)
    mutating func put(_ name: StaticString, _ value: Int)
    mutating func put(_ name: StaticString, _ value: Bool)
}

extension JSONObject: MemberReceiver {
    mutating func put(_ name: StaticString, _ value: JSONValue) { self[name.description] = value }
    mutating func put(_ name: StaticString, _ value: String) { put(name, .string(value)) }
    mutating func put(_ name: StaticString, _ value: Int) { put(name, JSONValue(value)) }
    mutating func put(_ name: StaticString, _ value: Bool) { put(name, .bool(value)) }
}

/// An object that is written at once.
struct WrittenObject {
    private var output: [UInt8] = []
    private var isFirst = true

    init() {
        output.reserveCapacity(512)
        output.append(UInt8(ascii: "{"))
    }

    /// Appends the object when it has all its members.
    func append(to bytes: inout [UInt8]) {
        bytes.append(contentsOf: output)
        bytes.append(UInt8(ascii: "}"))
    }

    /// The names of members need no escapes.
    private mutating func open(_ name: StaticString) {
        if !isFirst { output.append(UInt8(ascii: ",")) }
        isFirst = false
        output.append(UInt8(ascii: "\""))
        output.append(contentsOf: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
        output.append(UInt8(ascii: "\""))
        output.append(UInt8(ascii: ":"))
    }
}

extension WrittenObject: MemberReceiver {
    mutating func put(_ name: StaticString, _ value: JSONValue) {
        open(name)
        value.append(to: &output)
    }

    mutating func put(_ name: StaticString, _ value: String) {
        open(name)
        appendJSONString(value, to: &output)
    }

    mutating func put(_ name: StaticString, _ value: Int) {
        open(name)
        output.append(contentsOf: String(value).utf8)
    }

    mutating func put(_ name: StaticString, _ value: Bool) {
        open(name)
        output.append(contentsOf: (value ? "true" : "false").utf8)
    }
}
