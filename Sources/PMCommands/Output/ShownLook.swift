/// The parameters of SGR (ECMA-48, 8.3.117) that a program may set on a terminal: colours and weights, but nothing that hides
/// text or makes it blink.
enum ShownLook {
    /// 5 and 6 blink, 8 conceals.
    private static let refused: Set<[UInt8]> = [Array("5".utf8), Array("6".utf8), Array("8".utf8)]
    /// A colour of the text, of what is behind it, or of a line below it follows: 38;5;N or 38;2;R;G;B.
    private static let colours: Set<[UInt8]> = [Array("38".utf8), Array("48".utf8), Array("58".utf8)]

    /// The parameters without the refused ones; nil when none of them is left. No parameters at all take every colour away.
    static func parameters(_ given: some Collection<UInt8>) -> [UInt8]? {
        if given.isEmpty { return [] }
        let groups = given.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false).map { Array($0) }
        var kept: [[UInt8]] = []
        var rest = groups[...]
        while let group = rest.popFirst() {
            let count = colours.contains(group) ? sizeOfColour(rest) : 0
            if !refused.contains(number(group)) { kept += [group] + rest.prefix(count) }
            rest = rest.dropFirst(count)
        }
        return kept.isEmpty ? nil : Array(kept.joined(separator: [UInt8(ascii: ";")]))
    }

    /// The number of parameters that say a colour.
    private static func sizeOfColour(_ rest: ArraySlice<[UInt8]>) -> Int {
        switch rest.first {
        case [UInt8(ascii: "5")]: min(2, rest.count)
        case [UInt8(ascii: "2")]: min(4, rest.count)
        default: 0
        }
    }

    /// A parameter without zeros before it, and without parts of its own: terminals read `08` and `8:0` as 8.
    private static func number(_ group: [UInt8]) -> [UInt8] {
        Array(group.prefix { $0 != UInt8(ascii: ":") }.drop { $0 == UInt8(ascii: "0") })
    }
}
