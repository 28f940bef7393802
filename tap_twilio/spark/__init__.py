"""Twilio as a data source of Spark: ``spark.dataSource.register(TwilioDataSource)``.

It needs ``pip install 'tap-twilio-streams[spark]'`` on the driver and on each worker.
"""

from tap_twilio.spark.source import TwilioDataSource

__all__ = ["TwilioDataSource"]
