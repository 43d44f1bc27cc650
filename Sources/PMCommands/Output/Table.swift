/// Rows and columns for people, fitted into a width.
struct Table {
    /// A column of the table, and its share of a narrow terminal.
    struct Column {
        /// Heading of the column.
        var title: String
        /// Numbers stand at the right.
        var isRight = false
        /// Order in which columns are cut when there is no room: the lowest number first.
        var importance = 5
        /// Columns below which it is left out rather than cut further.
        var narrowest = 4
        /// True when it is left out before any column is cut.
        var isOptional = false
    }

    /// A cell: its text and look.
    struct Cell {
        let text: String
        let look: Style.Look
        /// Columns of the text.
        let width: Int

        init(_ text: String, _ look: Style.Look = .plain) {
            self.text = DisplayWidth.printable(text)
            self.look = look
            width = DisplayWidth.of(self.text)
        }
    }

    private let columns: [Column]
    private var rows: [[Cell]] = []

    /// A table without rows.
    init(_ columns: [Column]) { self.columns = columns }

    /// Adds a row, a cell for each column.
    mutating func add(_ cells: [Cell]) { rows.append(cells) }

    /// The lines of the table, each ended by a newline, none wider than `width`; without one as wide as it needs.
    func rendered(width: Int?, _ style: Style) -> String {
        let widths = fit(naturalWidths(), into: width)
        var text = ""
        append(columns.map { Cell($0.title, .bold) }, widths, style, to: &text)
        for row in rows { append(row, widths, style, to: &text) }
        return text
    }

    private static let gap = 2

    private func naturalWidths() -> [Int] {
        columns.indices.map { index in
            rows.reduce(DisplayWidth.of(columns[index].title)) { max($0, $1[index].width) }
        }
    }

    /// Widths that fit: the least important columns are left out (width 0) until the others can be made narrow enough,
    /// the first one never; then the least important of those are cut.
    private func fit(_ natural: [Int], into width: Int?) -> [Int] {
        guard let width else { return natural }
        let order = columns.indices.sorted { columns[$0].importance < columns[$1].importance }
        let narrow = columns.indices.map { min(columns[$0].narrowest, natural[$0]) }
        var (widths, least) = (natural, narrow)
        for index in order where columns[index].isOptional && Self.total(widths) > width {
            (widths[index], least[index]) = (0, 0)
        }
        for index in order where Self.total(least) > width && index != 0 { (widths[index], least[index]) = (0, 0) }
        for index in order where Self.total(widths) > width && widths[index] > 0 {
            widths[index] = max(least[index], widths[index] - (Self.total(widths) - width))
        }
        if Self.total(widths) > width { widths[0] = max(1, widths[0] - (Self.total(widths) - width)) }
        return widths
    }

    private static func total(_ widths: [Int]) -> Int {
        let shown = widths.filter { $0 > 0 }
        return shown.reduce(0, +) + gap * max(0, shown.count - 1)
    }

    private static func append(blanks count: Int, to text: inout String) {
        for _ in 0..<max(0, count) { text.append(" ") }
    }

    private func append(_ cells: [Cell], _ widths: [Int], _ style: Style, to text: inout String) {
        let last = widths.lastIndex { $0 > 0 } ?? 0
        for (index, cell) in cells.enumerated() where widths[index] > 0 {
            let isCut = cell.width > widths[index]
            let shown = isCut ? DisplayWidth.cut(cell.text, to: widths[index]) : cell.text
            let padding = widths[index] - (isCut ? DisplayWidth.of(shown) : cell.width)
            if columns[index].isRight { Self.append(blanks: padding, to: &text) }
            text += style(cell.look, shown)
            if index == last { break }
            // No blanks at the end of a line: they would wrap on a terminal that is exactly as wide.
            Self.append(blanks: Self.gap + (columns[index].isRight ? 0 : padding), to: &text)
        }
        text += "\n"
    }
}
