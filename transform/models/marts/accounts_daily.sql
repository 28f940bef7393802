{{ figures_by_day(by_account=true) }}
