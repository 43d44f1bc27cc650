/// Requests of a program to its terminal, as far as a prefixer follows them.
enum PrefixerAction: Equatable {
    /// Which part of a row or of the screen is erased, seen from the cursor.
    enum Part: Equatable {
        case after, before, all
    }

    case glyph(PrefixerGlyph)
    case combining(Unicode.Scalar)
    case lineFeed
    case carriageReturn
    case backspace
    case tab
    case up(Int)
    case down(Int)
    case forward(Int)
    case back(Int)
    /// To a column, from 0.
    case column(Int)
    /// To a row and column of the screen, from 0.
    case place(row: Int, column: Int)
    case eraseInRow(Part)
    case eraseOnScreen(Part)
    /// Erases so many columns from the cursor on.
    case blank(Int)
    case delete(Int)
    /// The look from now on: SGR parameters.
    case look([UInt8])
    case enterAlternateScreen
    case leaveAlternateScreen
    case saveCursor
    case restoreCursor
}
