{{ figures_by_day() }}
