extension JSONValue {
    /// Memory of the value in bytes, roughly, for bounds: small values take much more than as text.
    public var footprint: Int {
        var total = MemoryLayout<JSONValue>.stride
        // Without recursion: who sent it chose the depth.
        var rest = [self]
        while let value = rest.popLast() {
            switch value {
            case .null, .bool: break
            case .number(let number): total += Self.room(for: number.text)
            case .string(let text): total += Self.room(for: text)
            case .array(let elements):
                total += Self.room(for: elements.capacity, MemoryLayout<JSONValue>.stride)
                rest += elements
            case .object(let object):
                total += object.room
                for member in object.members {
                    total += Self.room(for: member.key)
                    rest.append(member.value)
                }
            }
        }
        return total
    }

    /// Of an allocation: what malloc and Swift's reference counting add.
    static let overhead = 48

    /// Memory of an array's elements in bytes, beside the array itself.
    static func room(for count: Int, _ stride: Int) -> Int { count == 0 ? 0 : count * stride + overhead }

    /// Memory of a string's characters in bytes: none for up to 15, which Swift keeps inline.
    private static func room(for text: String) -> Int { text.utf8.count > 15 ? text.utf8.count + overhead : 0 }
}
