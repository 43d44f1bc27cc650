extension JSONScanner {
    /// Steps over elements of an array that are whole numbers without a sign, with the commas behind them and without blanks,
    /// eight bytes at a time; begins and ends at the first byte of an element. A body of 4 MB that a request carries is four million
    /// of them. Whatever is unusual is left to others, an error too.
    mutating func skipPlainNumbers() {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let (highs, lows) = (ones &* 0x80, ones &* 0x7F)
        var place = index
        // An element begins here: the byte before is a comma or the bracket.
        var opening: UInt64 = 0x80
        // The byte before is a 0 that begins an element: it has no second digit.
        var isAfterZero = false
        while place + 8 <= end {
            let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self))
            // In each of these the high bit of a byte says something of that byte.
            let (fromZero, aboveNine) = ((word | highs) &- ones &* 0x30, (word | highs) &- ones &* 0x3A)
            let digits = fromZero & ~aboveNine & ~word & highs
            let commas = ~(((word ^ (ones &* 0x2C)) & lows) &+ lows) & ~word & highs
            guard digits | commas == highs else { break }
            let first = (commas << 8) | opening
            let zeros = ~(((word ^ (ones &* 0x30)) & lows) &+ lows) & first & highs
            guard commas & first == 0, zeros & (digits >> 8) == 0, !isAfterZero || digits & 0x80 == 0 else { break }
            (opening, isAfterZero) = (commas >> 56, zeros >> 56 != 0)
            place += 8
            if commas != 0 { index = place - (commas.leadingZeroBitCount >> 3) }
        }
    }
}
